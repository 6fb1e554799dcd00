-- expect: 3	3	3
-- expect: 2	2	8	3
-- expect: 1	1	8	-2
-- expect: <1,2>	<1,s>	<s,1>	<1,2>
-- expect: a<b,3>	<3,ab>
local mt = {}
local function V(x) return setmetatable({ x = x }, mt) end
local function val(v) return type(v) == "table" and v.x or v end
mt.__add = function(a, b) return V(val(a) + val(b)) end
mt.__sub = function(a, b) return V(val(a) - val(b)) end
mt.__mul = function(a, b) return V(val(a) * val(b)) end
mt.__div = function(a, b) return V(val(a) / val(b)) end
mt.__mod = function(a, b) return V(val(a) % val(b)) end
mt.__pow = function(a, b) return V(val(a) ^ val(b)) end
mt.__unm = function(a) return V(-val(a)) end
mt.__concat = function(a, b) return "<" .. val(a) .. "," .. val(b) .. ">" end
print((V(1) + V(2)).x, (V(1) + 2).x, (1 + V(2)).x)
print((V(5) - 3).x, (5 - V(3)).x, (V(4) * 2).x, (V(9) / 3).x)
print((V(9) % 4).x, (9 % V(4)).x, (V(2) ^ 3).x, (-V(2)).x)
print(V(1) .. V(2), V(1) .. "s", "s" .. V(1), 1 .. V(2))
print("a" .. "b" .. V(3), V(3) .. "a" .. "b")
