-- A native that is returned from knows the line that calls it.
-- expect: native-in-tail-call.lua:20: bad argument #2 to 'gsub' (string/function/table expected)
-- expect: native-in-tail-call.lua:21: bad argument #2 to 'gsub' (string/function/table expected)
-- expect: native-in-tail-call.lua:22: bad argument #1 to 'find' (string expected, got nil)
-- expect: native-in-tail-call.lua:23: bad argument #1 to 'unpack' (table expected, got nil)
-- expect: native-in-tail-call.lua:24: bad argument #1 to 'select' (index out of range)
-- expect: native-in-tail-call.lua:25: bad argument #1 to 'next' (table expected, got nil)
-- expect: native-in-tail-call.lua:26: bad argument #1 to 'setmetatable' (table expected, got number)
-- expect: native-in-tail-call.lua:27: bad argument #1 to 'tostring' (value expected)
-- expect: native-in-tail-call.lua:28: x
-- expect: native-in-tail-call.lua:29: assertion failed!
-- expect: native-in-tail-call.lua:30: bad argument #1 to 'remove' (table expected, got nil)
-- expect: native-in-tail-call.lua:31: bad argument #1 to 'modf' (number expected, got string)
-- expect: native-in-tail-call.lua:32: bad argument #2 to 'date' (number expected, got string)
-- expect: native-in-tail-call.lua:33: bad argument #1 to 'floor' (number expected, got string)
-- expect: native-in-tail-call.lua:34: boo
-- expect: count	done
-- expect: native-in-tail-call.lua:40: attempt to perform arithmetic on a nil value
local function try(f, ...) print(select(2, pcall(f, ...))) end
try(function() return ("x"):gsub("x") end)
try(function(s) return s:gsub("x") end, "x")
try(function() return string.find(nil) end)
try(function() return unpack(nil) end)
try(function() return select(0) end)
try(function() return next(nil) end)
try(function() return setmetatable(1) end)
try(function() return tostring() end)
try(function() return assert(nil,"x") end)
try(function() return assert(nil) end)
try(function() return table.remove(nil) end)
try(function() return math.modf("x") end)
try(function() return os.date(1,"x") end)
try(function() return math.floor("x") end)
try(function() return error("boo") end)
-- A program's own methods of such names stay tail calls.
local Count = {}
Count.__index = Count
function Count:rep(n) if n == 0 then return self.name, 'done' end return self:rep(n - 1) end
print(setmetatable({ name = 'count' }, Count):rep(100000))
try(function() return ('x'):find('x'), nil + 1 end)
