-- expect: 3
-- expect: 1
-- expect: 1	1
-- expect: 2	1
local i = 0
while true do
  i = i + 1
  if i == 3 then break end
end
print(i)
while i > 0 do i = i - 1 if i == 1 then do break end end end
print(i)
for a = 1, 2 do for b = 1, 3 do if b == 2 then break end print(a, b) end end
