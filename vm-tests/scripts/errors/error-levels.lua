-- expect: false	error-levels.lua:7: boom
-- expect: false	error-levels.lua:7: boom
-- expect: false	boom
-- expect: false	nil
-- expect: false	nil
-- expect: false	no position
local function raise(level) error("boom", level) end
print(pcall(raise))
print(pcall(raise, 1))
print(pcall(raise, 0))
print(pcall(error))
print(pcall(error, nil))
print(pcall(error, "no position", 0))
