-- expect: 4
-- expect: 1	2	3
local n = 0
repeat
  local done = n >= 3
  n = n + 1
until done
print(n)
local fs = {}
local i = 0
repeat
  i = i + 1
  local j = i
  fs[i] = function() return j end
until j == 3
print(fs[1](), fs[2](), fs[3]())
