-- expect-error: syntax-two-strings.lua:2: unexpected symbol near '"b"'
x = "a" "b"
