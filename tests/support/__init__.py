"""What several test folders use: servers, waiting, peers. No tests."""
