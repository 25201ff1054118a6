"""Every key name in the store. `{NN}` is the hash tag: the partition of the athlete or subscription."""

import secrets

from shared.contracts.partitions import partition_of_athlete, partition_of_subscription

# Not bound to an athlete or a subscription.
CLUBS = "clubs"
API_KEYS = "api-keys"
CLOCK = "clock"
TICK_LEASE = "tick:lease"
TICK_POKE = "tick:poke"
SIGNING_KEY = "signing-key"
RULEBOOK = "rulebook"
RULEBOOK_VERSION = "rulebook:version"
COUNTERS = "counters"
OVERRIDE_VERSIONS = "override-versions"
RULES_CHANGED = (
    "rules-changed"  # set: `CLUB/` and a random name; a change whose athletes are not all due. No club: all
)


def club_keys(club: str) -> str:
    """Hash: key id -> ApiKey."""
    return f"club-keys:{club}"


def rule_errors(club: str) -> str:
    """Hash: rule id -> how often it has failed."""
    return f"rule-errors:{club}"


def club_overrides(club: str) -> str:
    """List: what the club laid over the rules, the oldest version first."""
    return f"overrides:{club}"


def shadow_advice(club: str) -> str:
    """Hash: advice id -> ShadowAdvice."""
    return f"shadow-advice:{club}"


def shadow_order(club: str) -> str:
    """Sorted set: advice ids by when a rule in shadow first had them (ms)."""
    return f"shadow-order:{club}"


def club_athletes(club: str) -> str:
    """Sorted set by name: the ids of a club's athletes."""
    return f"athletes:{club}"


def club_subscriptions(club: str) -> str:
    """Hash: subscription id -> Subscription."""
    return f"subscriptions:{club}"


def rate_limit(club: str) -> str:
    """Hash of one token bucket."""
    return f"rate:{club}"


def event_owners(club: str, shard: int) -> str:
    """Hash: event key -> athlete. Says that (source, id) is unique within the club."""
    return f"event-owner:{club}:{shard:02x}"


def athlete_ref(club: str, athlete: str) -> str:
    """The athlete's name in indexes. Club ids hold no slash."""
    return f"{club}/{athlete}"


def split_ref(ref: str) -> tuple[str, str]:
    """Undo `athlete_ref` or `lane_ref`."""
    club, _, name = ref.partition("/")
    return club, name


def change_of_rules(club: str = "") -> str:
    """Return a new member of `RULES_CHANGED`: a change of a club's rules, or of those that all clubs share."""
    return athlete_ref(club, secrets.token_hex(8))


class AthleteKeys:
    """The keys of one athlete, all in one slot."""

    __slots__ = (
        "advice",
        "advice_index",
        "digest",
        "events",
        "meta",
        "news",
        "outbox",
        "profile",
        "ref",
        "seen",
        "standing",
        "tag",
        "traces",
    )

    def __init__(self, club: str, athlete: str) -> None:
        self.tag = f"{partition_of_athlete(club, athlete):02x}"
        self.ref = athlete_ref(club, athlete)
        name = f"{{{self.tag}}}:{self.ref}"
        self.profile = f"profile:{name}"
        self.seen = (
            f"seen:{name}"  # hash: event key -> revisions with their content hashes; "!" first when deleted
        )
        self.events = f"events:{name}"  # hash: event key -> Event
        self.meta = f"meta:{name}"  # hash: `inputs` and `commits`, counted up with every change; `evaluated`
        self.digest = f"digest:{name}"  # what rules made of the older events; gone when one of these changes
        self.news = f"news:{name}"  # list: where the timeline has changed since the last commit
        self.advice = f"advice:{name}"  # hash: advice id -> AdviceRecord
        self.advice_index = f"advice-index:{name}"  # sorted set: advice id by issue (ms)
        self.traces = f"traces:{name}"  # hash: `ADVICE ID|VERDICT` -> the latest Trace of that verdict
        self.standing = f"standing:{name}"  # set: advice ids whose state the timeline still supports
        self.outbox = f"outbox:{name}"  # hash: sequence -> OutboxEntry

    def timeline(self, kind: str) -> str:
        """Sorted set of an event type: event key by start (ms)."""
        return f"timeline:{{{self.tag}}}:{self.ref}:{kind}"


class PartitionKeys:
    """The indexes of one partition of athletes: what waits, in the slot of those who wait."""

    __slots__ = ("advice_owner", "dirty", "due", "outboxes", "turns", "waiting")

    def __init__(self, tag: str) -> None:
        self.dirty = (
            f"dirty:{{{tag}}}"  # sorted set: athlete by since when it waits, or until when it is taken
        )
        self.waiting = f"waiting:{{{tag}}}"  # sorted set: athlete by its turn to be evaluated
        self.turns = f"turns:{{{tag}}}"  # hash: club -> its last turn; "" -> the turn that was taken last
        self.due = f"due:{{{tag}}}"  # sorted set: athlete by the clock ms of the next evaluation
        self.outboxes = (
            f"outboxes:{{{tag}}}"  # sorted set: athlete by the wall ms of the next routing wake-up
        )
        self.advice_owner = f"advice-owner:{{{tag}}}"  # hash: advice id -> athlete


def rule_counts(tag: str, club: str) -> str:
    """Hash: `RULE|WHAT` -> how many, of the club's athletes in one partition."""
    return f"rule-counts:{{{tag}}}:{club}"


def advice_deliveries(advice_id: str) -> str:
    """Set: ids of the deliveries that speak of a piece of advice."""
    return f"advice-deliveries:{{{advice_id[4:6]}}}:{advice_id}"


class QueueKeys:
    """What is asked of the workers of a queue, all in one slot."""

    __slots__ = ("called", "calls", "on_call", "up")

    def __init__(self, queue: str) -> None:
        self.calls = (
            f"calls:{{{queue}}}"  # sorted set: what a worker is to look at, by the wall ms since when
        )
        self.up = f"up:{{{queue}}}"  # sorted set: worker in a turn, by the wall ms at which that must be over
        self.on_call = (
            f"on-call:{{{queue}}}"  # sorted set: worker that waits, by the wall ms until which it does
        )
        self.called = f"called:{{{queue}}}"  # there while a message is under way that wakes a worker


class LaneKeys:
    """The keys of one subscription's deliveries, all in one slot."""

    __slots__ = ("busy", "deliveries", "flights", "health", "lane", "log", "ref", "tag", "told")

    def __init__(self, club: str, subscription: str) -> None:
        self.tag = f"{partition_of_subscription(subscription):02x}"
        self.ref = f"{club}/{subscription}"
        name = f"{{{self.tag}}}:{subscription}"
        self.deliveries = f"deliveries:{name}"  # hash: delivery id -> Delivery
        self.lane = f"lane:{name}"  # sorted set: pending, unclaimed delivery ids by due (clock ms)
        self.flights = (
            f"flights:{name}"  # sorted set: claimed delivery ids by the wall ms at which the claim lapses
        )
        self.busy = f"busy:{name}"  # hash: advice id -> the claimed delivery that speaks of it
        self.log = f"delivery-log:{name}"  # sorted set: delivery ids by creation (ms)
        self.told = f"told:{name}"  # hash: advice id -> Told
        self.health = f"health:{name}"  # hash: Health


class LanePartitionKeys:
    """The indexes of one partition of subscriptions."""

    __slots__ = ("delivery_owner", "flying", "lanes", "woken")

    def __init__(self, tag: str) -> None:
        self.lanes = f"lanes:{{{tag}}}"  # sorted set: lane by its earliest due (clock ms)
        self.flying = f"flying:{{{tag}}}"  # sorted set: lane by its earliest lapsing claim (wall ms)
        self.woken = f"woken:{{{tag}}}"  # hash: lane -> wall ms until which its last wake-up is trusted
        self.delivery_owner = f"delivery-owner:{{{tag}}}"  # hash: delivery id -> lane
