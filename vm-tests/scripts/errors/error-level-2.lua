-- expect: false	error-level-2.lua:7: x is missing
local function check(x)
  if not x then error("x is missing", 2) end
end
local function user()
  local a = 1
  check(nil)
end
print(pcall(user))
