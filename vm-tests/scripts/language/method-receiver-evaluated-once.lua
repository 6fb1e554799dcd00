-- expect: 10
-- expect: 12	3
local o = { n = 0 }
function o:add(k) self.n = self.n + k return self end
o:add(1):add(2):add(3)
o["add"](o, 4)
print(o.n)
local calls = 0
local function get() calls = calls + 1 return o end
get():add(1)
get().n = get().n + 1
print(o.n, calls)
