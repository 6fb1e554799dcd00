-- expect:
-- expect: 1	nil	true	x	1.5
-- expect: a	b	c
-- expect: multi
-- expect: line
print()
print(1, nil, true, "x", 1.5)
print("a\tb", "c")
print(("multi\nline"))
