-- expect: 1	10	11	110
-- expect: oiii	oiiii
local a, b
do
  local v = 0
  a = function() v = v + 1 return v end
  b = function() v = v * 10 return v end
end
print(a(), b(), a(), b())
local function outer()
  local v = "o"
  local function inner()
    return function() v = v .. "i" return v end
  end
  return inner(), inner()
end
local p, q = outer()
p() q()
print(p(), q())
