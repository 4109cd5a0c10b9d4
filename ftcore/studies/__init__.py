"""Many runs that answer one question: how good, how stable, which is better."""
