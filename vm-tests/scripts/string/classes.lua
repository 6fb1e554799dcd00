-- expect: a	52	204
-- expect: c	33	223
-- expect: d	10	246
-- expect: l	26	230
-- expect: p	32	224
-- expect: s	6	250
-- expect: u	26	230
-- expect: w	62	194
-- expect: x	22	234
-- expect: z	1	255
local classes = "acdlpsuwxz"
for c in classes:gmatch(".") do
  local n, m = 0, 0
  for b = 0, 255 do
    if string.char(b):find("%" .. c) then n = n + 1 end
    if string.char(b):find("%" .. c:upper()) then m = m + 1 end
  end
  print(c, n, m)
end
