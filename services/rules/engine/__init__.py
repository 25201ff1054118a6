"""The engine: pure. No Redis, Celery, Flask, settings or clock may enter, not even indirectly; `now` is an argument.

In: checked rules, an athlete, events, an instant. Out: the advice that holds at that instant, and when to look again.
"""
