-- expect: 2
-- expect: 1	2	1
-- expect: 6
local function counter()
  local n = 0
  return function() n = n + 1 return n end, function() return n end
end
local up, get = counter()
up() up()
print(get())
local up2, get2 = counter()
print(up2(), get(), get2())
local function adder(a) return function(b) return function(c) return a + b + c end end end
print(adder(1)(2)(3))
