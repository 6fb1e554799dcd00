-- expect: 1	2	3
-- expect: 0	1	2	3
-- expect: 1
-- expect: 1	1	2	3
-- expect: 0
-- expect: 1
-- expect: 1	nil	3
-- expect: 2
-- expect: 9	1	2
-- expect: 2	nil	nil
-- expect: 1	2	3	4	5	6
-- expect: 1	2	3
-- expect: 3	1	2	3	4	5
-- expect: 3	1	2	3	nil	nil
-- All values of the last call, and one of the others, with and without tail calls.
local function three() return 1, 2, 3 end
local function none() end
local function all() return three() end
local function behind() return 0, three() end
local function one() return (three()) end
local function middle() return three(), three() end
local function empty() return none() end
local function nothing() return 1, none() end
local function dots(...) return ... end
local function some(...) return 9, ... end
local function passed(...) return select("#", ...), ... end
local function many(a) local t = a return t.a, t.b, t.c, t.d, t.e, t.f end
local function deep(t) return t.f(t.f(three())) end
print(all()) print(behind()) print(one()) print(middle())
print(select("#", empty())) print(select("#", nothing()))
print(dots(1, nil, 3)) print(select("#", dots(nil, nil))) print(some(1, 2)) print(passed(nil, nil))
print(many({a = 1, b = 2, c = 3, d = 4, e = 5, f = 6}))
print(deep({f = function(...) return ... end}))
local object = {n = 3}
function object:me(a, b, c, d, e) return self.n, a, b, c, d, e end
local function tail(o) return o:me(1, 2, 3, 4, 5) end
local function tail2(o) return o:me(three()) end
print(tail(object)) print(tail2(object))
