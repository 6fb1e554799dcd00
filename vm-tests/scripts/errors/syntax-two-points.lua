-- expect-error: syntax-two-points.lua:2: malformed number near '1..2'
x = 1..2
