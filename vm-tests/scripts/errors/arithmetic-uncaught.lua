-- expect-error: arithmetic-uncaught.lua:5: attempt to perform arithmetic on a nil value
local function none() end
local total = 0
for i = 1, 2 do
  total = total + none()
end
