-- expect: 1	3
-- expect: 3
-- expect: done
-- reference: no goto is extra
local seen = {}
for i = 1, 3 do
  if i == 2 then goto continue end
  seen[#seen + 1] = i
  ::continue::
end
print(unpack(seen))
local n = 0
::again::
n = n + 1
if n < 3 then goto again end
print(n)
do goto out end
print("skipped")
::out:: print("done")
