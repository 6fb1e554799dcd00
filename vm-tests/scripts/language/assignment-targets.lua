-- Tables and keys of all targets are evaluated before anything is assigned.
-- expect: nil	20
-- expect: 1	2	3
-- expect: 1
-- expect: x	second	nil
-- expect: t1 k1 t2 k2 v1 v2
-- expect: 2	1
-- expect: 7	8
-- expect: 30	10	20
-- expect: inner	1	2
local a, i = {}, 1
i, a[i] = i + 1, 20
print(a[2], a[1])

local list
for n = 1, 3 do list = { n = n, next = list } end
local reversed
while list do
    list.next, reversed, list = reversed, list, list.next
end
local seen = {}
while reversed do
    seen[#seen + 1] = reversed.n
    reversed = reversed.next
end
print(seen[1], seen[2], seen[3])

local x = {}
local y = x
x.a, x = 1, nil
print(y.a)

local q, v = { first = 1, [1] = 'x', [2] = 'second' }, nil
v, q[q.first], q.first = q[q.first], nil, q.first + 1
print(v, q[q.first], q[1])

local order = {}
local function say(what, value)
    order[#order + 1] = what
    return value
end
local t1, t2 = {}, {}
say('t1', t1)[say('k1', 1)], say('t2', t2)[say('k2', 1)] = say('v1', 1), say('v2', 2)
print(table.concat(order, ' '))

local swapped = { 1, 2 }
swapped[1], swapped[2] = swapped[2], swapped[1]
print(swapped[1], swapped[2])

settings = { inner = {} }
local outer = settings
settings.inner.a, settings, outer.b = 7, nil, 8
print(outer.inner.a, outer.b)

-- A local that is no target is looked at when the value is stored.
local at, there = 1, {}
local function move() at = 2 return 10 end
there[at], there.b = move(), 20
print(30, there[2], there.b)

local function nested()
    local object = { child = { name = 'inner' } }
    object.child.x, object.child.y = 1, 2
    return object.child.name, object.child.x, object.child.y
end
print(nested())
