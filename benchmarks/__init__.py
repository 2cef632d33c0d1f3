"""Side-by-side timings of our kernels and their peers; nothing else imports this room."""
