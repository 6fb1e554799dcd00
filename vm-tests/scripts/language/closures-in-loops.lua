-- expect: 2	3	3	4
-- expect: 1	11
-- expect: 1	12
-- expect: 2	21
-- expect: 1	two	3
local fs = {}
for i = 1, 3 do fs[#fs + 1] = function() i = i + 1 return i end end
print(fs[1](), fs[1](), fs[2](), fs[3]())
local gs = {}
for k, v in pairs({10, 20}) do gs[k] = function() v = v + 1 return k, v end end
print(gs[1]())
print(gs[1]())
print(gs[2]())
local hs = {}
local i = 1
while i <= 3 do
  local x = i
  hs[i] = { set = function(v) x = v end, get = function() return x end }
  i = i + 1
end
hs[2].set("two")
print(hs[1].get(), hs[2].get(), hs[3].get())
