"""No deadline for examples: how long one takes says what else the machine is doing."""

from hypothesis import settings

settings.register_profile("evenhand", deadline=None)
settings.load_profile("evenhand")
