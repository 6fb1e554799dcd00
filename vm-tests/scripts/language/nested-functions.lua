-- expect: 7	8
-- expect: g
function outer(a)
  local function inner(b)
    local function innermost(c) a = a + 1 return a + b + c end
    return innermost
  end
  return inner
end
local f = outer(1)(2)
print(f(3), f(3))
local t = { f = function(self) return self.g(self) end, g = function(self) return "g" end }
print(t:f())
