"""Rule files that are right, for the tests to load, spoil and layer."""

import re
from pathlib import Path

from services.rules.language.load import SourceFile, load_sources
from services.rules.language.model import Rule, RuleSet

REPOSITORY = Path(__file__).parents[3]

SPRINT = """\
pack: concurrent-training
version: 3
rules:
  - id: no-sprint-after-strength
    category: ordering
    severity: warning
    each: workout.completed
    where: {activity: run, intensity: [hard, sprint]}
    params: {min_gap_h: 6}
    facts:
      lift: {last: workout.completed, where: {activity: strength}, before: 24h}
      gap_h: hours(anchor.start - lift.end)
    when: lift.found && gap_h < params.min_gap_h
    advise:
      title: Keep the run after lifting relaxed
      message: >-
        You ran hard {{ gap_h | round(1) }} h after
        strength training.
    expires: 24h
    settle: 0s
    evidence: moderate
    sources: ["Robineau 2016"]
    supersedes: [evening-protein]
"""

EVENING = """\
pack: evening
version: 1
rules:
  - id: evening-protein
    category: surplus
    severity: suggestion
    daily: "20:30"
    params: {per_kg: 1.6, goals: [build_muscle, recomp], steps: [1, 2], strict: true, tone: kind}
    facts:
      meals: {count: meal.logged}
      protein: {sum: meal.logged.protein_g, where: {energy_kcal: {gte: 30, lt: 4000}}}
      hardest: {max: workout.completed.rpe, last_days: 7}
      trained: {days: workout.completed, during: this_week}
      wanted: params.per_kg * athlete.body_mass_kg
    requires: has(athlete.body_mass_kg) && day.nutrition_complete
    when: |
      meals > 0 &&
      protein < wanted
    advise:
      title: "{{ (wanted - protein) | round }} g of protein are missing"
      message: 'It''s {{ protein | round }} g of {{ wanted | round }} g so far.'
    evidence: strong
    sources: [Morton 2018]
    mode: shadow
  - id: plan-tomorrow
    category: hydration
    severity: info
    each: workout.planned
    when: anchor.duration_s > 3600
    advise: {title: Drink, message: Drink enough}
    evidence: heuristic
    sources: [experience]
  - id: week-review
    category: recovery
    severity: info
    weekly: {day: sunday, at: "18:00"}
    when: week.sessions > 5
    advise: {title: Rest, message: Rest a day}
    expires: 2d
    settle: 30m
    evidence: contested
    sources: [experience]
  - id: no-meal-after
    category: recovery
    severity: info
    each: workout.completed
    delay: 2h
    facts:
      eaten: {count: meal.logged, after: 2h}
    when: eaten == 0
    advise: {title: Eat, message: Eat something}
    evidence: heuristic
    sources: [experience]
"""

DOCUMENTED = re.findall(
    r"^```yaml\n# \S+\n(pack: .*?^rules:.*?)^```",
    (REPOSITORY / "docs/rules.md").read_text("utf-8"),
    re.DOTALL | re.MULTILINE,
)


def loaded(*texts: str) -> RuleSet:
    """Load texts as files `0.yaml`, `1.yaml` and so on, each a layer of its own."""
    return load_sources([SourceFile(f"{layer}.yaml", text, layer) for layer, text in enumerate(texts)])


def rule(rule_set: RuleSet, rule_id: str) -> Rule:
    """Return the rule of that id."""
    return next(each for each in rule_set.rules if each.id == rule_id)
