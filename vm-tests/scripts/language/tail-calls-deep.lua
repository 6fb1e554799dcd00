-- expect: bottom
-- expect: table
-- expect: table
-- expect: a	b
-- expect: called
-- Tail calls need no room, however they are written.
local function down(n) if n == 0 then return "bottom" end return down(n - 1) end
print(down(100000))
local t = {}
function t.down(n) local u = t if n == 0 then return u.name end return u.down(n - 1) end
t.name = "table"
print(t.down(50000))
function t:walk(n) if n == 0 then return self.name end return self:walk(n - 1) end
print(t:walk(50000))
local function pass(...) return ... end
local function many(n, ...) if n == 0 then return ... end return many(n - 1, pass(...)) end
print(many(30000, "a", "b"))
local callable = setmetatable({}, {__call = function(self, n) if n == 0 then return "called" end return self(n - 1) end})
print(callable(20000))
