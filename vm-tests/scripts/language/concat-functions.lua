-- expect: ax	xa	xay
-- expect: <1>
-- expect: aa
local function two() return "a", "b" end
print(two() .. "x", "x" .. two(), "x" .. (two()) .. "y")
local function v(...) return "<" .. ... .. ">" end
print(v("1", "2"))
print((two() .. two()))
