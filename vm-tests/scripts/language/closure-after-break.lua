-- expect: 16	4
local get
for i = 1, 10 do
  local x = i * i
  if i == 4 then get = function() return x, i end break end
end
print(get())
