-- expect-error: index-uncaught.lua:5: attempt to index a nil value
local function none() end
local a = 1

local function score() local v = none().text return v end
local s = score()
