-- expect-error: compare-uncaught.lua:3: attempt to compare number with table
local a, b = 1, {}
if a <= b then print("x") end
