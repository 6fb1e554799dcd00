-- expect: 0
-- expect: 1	nil
-- expect: 3	1	nil	nil
-- expect: 3
-- expect: 2	1
-- expect: 3	0
-- expect: 2	1	1
-- expect: 2	1	2
-- expect: 3	3
local function f(...) return select("#", ...), ... end
print(f())
print(f(nil))
print(f(1, nil, nil))
print((f(1, 2, 3)))
local function g(...) local a, b = ... return b, a end
print(g(1, 2, 3))
local function h(...) return {...} end
print(#h(1, 2, 3), #h())
print(f(f(1)), f(1))
local function tail(...) return f(...) end
print(tail(1, 2))
local function pack(...) local t = {n = select("#", ...), ...} return t end
print(pack(nil, nil, 3).n, pack(nil, nil, 3)[3])
