-- expect: a	b	c	2
-- expect: xx	string	table
-- expect: lit	true
local function f(x) return type(x) == "table" and #x or x end
print(f"a", f'b', f[[c]], f{1, 2})
print(("x"):rep(2), type"", type{})
local t = { m = function(self, x) return x end }
print(t:m"lit", t:m{} ~= nil)
