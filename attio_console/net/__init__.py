"""What every HTTP client shares: the client, the rate limiter with lanes, retry, circuit breaker."""
