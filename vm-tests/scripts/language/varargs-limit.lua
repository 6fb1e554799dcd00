-- expect: 8000
-- kind: limit
-- reference: no the reference allows a few less in some places and lets a script catch it
local function count(...) return select("#", ...) end
local t = {}
print(count(unpack(t, 1, 8000)))
print(count(unpack(t, 1, 8001)))
