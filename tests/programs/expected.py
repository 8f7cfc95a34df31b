"""What the jobs of tests/programs/jobs print."""

EXACT = (  # streams.exact
    b"plain\n10%\r20%\r\x1b[31mred\x1b[0m\n\xff\xfe raw \xf0\x9f\x98\x80\n"
    + b"x" * 1_000_000
    + b"\nerror\n<b>markup</b>\nno newline \xf0\x9f\x98\x80"
)
