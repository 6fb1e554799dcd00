-- A method of strings that is returned from knows its line where tables have metatables and methods of its name.
-- expect: text-method-in-tail-call.lua:12: bad argument #1 to 'format' (number expected, got string)
-- expect: text-method-in-tail-call.lua:16: bad argument #2 to 'format' (number expected, got string)
-- expect: text-method-in-tail-call.lua:20: bad argument #2 to 'gsub' (string/function/table expected)
-- expect-error: text-method-in-tail-call.lua:12: bad argument #1 to 'format' (number expected, got string)
local Point = {}
Point.__index = Point
function Point.new(x) return setmetatable({ x = x }, Point) end
function Point:gsub() return self end

function Point:text()
    return ("%d"):format(self.x)
end

local function number(x)
    return string.format("%d", x)
end

local function replaced(text)
    return text:gsub("x")
end

local function try(f, ...) print(select(2, pcall(f, ...))) end
try(function()
    local text = Point.new("one"):text()
    return text
end)
try(function()
    local text = number("one")
    return text
end)
try(function()
    local text = replaced("x")
    return text
end)
print(Point.new("one"):text())
