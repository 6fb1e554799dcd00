-- expect: false	add-to-nil-on-second-line.lua:6: attempt to perform arithmetic on a nil value
local function none() end
print(pcall(function()
  local a = 1
  local b = a + 1
  return b * none()
end))
