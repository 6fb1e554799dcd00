-- expect: 4	a	b	c	4
-- expect: one	nil
-- expect: big
-- expect: 1	2	3	nil	nil
-- expect: nil	nil
-- expect: 0	0	0	2
-- expect: c	b
-- expect: m	z	f	0
-- expect: 20
local t = { 1, 2, x = "a", ["y z"] = "b", [10] = "c", 3; 4, }
print(#t, t.x, t["y z"], t[10], t[4])
t[1.0] = "one"
print(t[1], t["1"])
t[2 ^ 53] = "big"
print(t[2 ^ 53])
local k = {}
t[k] = 1 t[print] = 2 t[true] = 3
print(t[k], t[print], t[true], t[false], t[{}])
t.x = nil
print(t.x, rawget(t, "x"))
print(#{}, #{nil}, #{n = 1}, #{1, 2, nil})
local n = {[1] = "a", [2] = "b", "c"}
print(n[1], n[2])
t = {[-1] = "m", [0] = "z", [1.5] = "f"}
print(t[-1], t[0], t[1.5], #t)
print(({10, 20, 30})[2])
