"""A limit on the requests per second that a platform accepts."""

import attrs


def _one_second(limit: "RateLimit") -> float:
    return max(1.0, limit.per_second)


@attrs.define
class RateLimit:
    """A token bucket: each request takes a token, and is refused with 429 if there is none.

    It applies to requests with a bearer token. Signed URLs and the auth server are other hosts.

    Args:
        per_second: How many requests per second are accepted in the long run.
        retry_after: Whether the refusal has a Retry-After header.
        burst: How many requests are accepted at once after a pause; by default those of one second.
    """

    per_second: float = attrs.field(validator=attrs.validators.gt(0))
    retry_after: bool = attrs.field(default=False, kw_only=True)
    burst: float = attrs.field(
        default=attrs.Factory(_one_second, takes_self=True), kw_only=True, validator=attrs.validators.ge(1)
    )
    _tokens: float = attrs.field(init=False, repr=False)
    _as_of: float | None = attrs.field(default=None, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._tokens = self.burst

    def take(self, now: float) -> float:
        """Take a token. Return 0, or if there is none the seconds until there will be one.

        Args:
            now: Seconds on any monotonic clock.
        """
        passed = 0.0 if self._as_of is None else now - self._as_of
        self._as_of = now
        self._tokens = min(self.burst, self._tokens + passed * self.per_second)
        if self._tokens < 1:
            return (1 - self._tokens) / self.per_second
        self._tokens -= 1
        return 0.0
