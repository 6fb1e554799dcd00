-- expect: 0	2	b	c
-- expect: c	b	c
-- expect:
-- expect: b
-- expect: false	bad argument #1 to 'select' (index out of range)
-- expect: false	bad argument #1 to 'select' (index out of range)
-- expect: false	bad argument #1 to 'select' (number expected, got string)
-- expect: false	bad argument #1 to 'select' (number expected, got no value)
-- expect: b
print(select("#"), select("#", nil, nil), select(2, "a", "b", "c"))
print(select(-1, "a", "b", "c"), select(-2, "a", "b", "c"))
print(select(5, "a"))
print((select(2, "a", "b", "c")))
print(pcall(select, 0, "a"))
print(pcall(select, -5, "a"))
print(pcall(select, "x"))
print(pcall(select))
print(select("2", "a", "b"))
