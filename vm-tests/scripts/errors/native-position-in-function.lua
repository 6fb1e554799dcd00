-- expect: false	native-position-in-function.lua:4: bad argument #1 to 'rep' (number expected, got table)
local function f(x)
  local y = tonumber(x)
  return y + ("abc"):rep({})
end
print(pcall(f, "1"))
