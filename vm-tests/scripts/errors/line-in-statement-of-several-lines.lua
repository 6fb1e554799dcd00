-- The line of an operation is its own, however many lines its statement has.
-- expect: line-in-statement-of-several-lines.lua:43:
-- expect: line-in-statement-of-several-lines.lua:49:
-- expect: line-in-statement-of-several-lines.lua:54:
-- expect: line-in-statement-of-several-lines.lua:62:
-- expect: line-in-statement-of-several-lines.lua:69:
-- expect: line-in-statement-of-several-lines.lua:76:
-- expect: line-in-statement-of-several-lines.lua:82:
-- expect: line-in-statement-of-several-lines.lua:89:
-- expect: line-in-statement-of-several-lines.lua:93:
-- expect: line-in-statement-of-several-lines.lua:98:
-- expect: line-in-statement-of-several-lines.lua:102:
-- expect: line-in-statement-of-several-lines.lua:109:
-- expect: line-in-statement-of-several-lines.lua:115:
-- expect: line-in-statement-of-several-lines.lua:121:
-- expect: line-in-statement-of-several-lines.lua:127:
-- expect: line-in-statement-of-several-lines.lua:133:
-- expect: line-in-statement-of-several-lines.lua:137:
-- expect: line-in-statement-of-several-lines.lua:145:
-- expect: line-in-statement-of-several-lines.lua:149:
-- expect: line-in-statement-of-several-lines.lua:155:
-- expect: line-in-statement-of-several-lines.lua:159:
-- expect: line-in-statement-of-several-lines.lua:162:
-- expect: line-in-statement-of-several-lines.lua:170:
-- expect: line-in-statement-of-several-lines.lua:178:
-- expect: line-in-statement-of-several-lines.lua:181:
-- expect: line-in-statement-of-several-lines.lua:187:
-- expect: nil
-- expect: line-in-statement-of-several-lines.lua:199:
-- expect: line-in-statement-of-several-lines.lua:202:
-- expect: line-in-statement-of-several-lines.lua:208:
-- expect: line-in-statement-of-several-lines.lua:217:
-- expect: false	line-in-statement-of-several-lines.lua:223: attempt to concatenate a table value (upvalue 't')
-- expect-error: line-in-statement-of-several-lines.lua:228: attempt to perform arithmetic on a table value (local 't')
local function show(f, ...)
  local ok, message = pcall(f, ...)
  print((tostring(message):gsub("^([^:]+:%d+:).*", "%1")))
end
local function call() end
local t, u, s = {}, { x = {}, n = 1, f = call }, "text"
show(function()
  call{
    a = nil .. "x"
  }
end)
show(function()
  return s
    :upper()
    :rep({})
    :lower()
end)
show(function()
  if u and
    t.b.c.d then
    print(1)
  end
end)
show(function()
  return {
    a = u.n,
    b = u.x,
    c = t.q.r,
  }
end)
show(function()
  local v = {
    1,
    2,
    tonumber("1", 99),
    tostring(2),
  }
end)
show(function()
  local v = {
    name = "x",
    error("here"),
  }
end)
show(function()
  local v = 1 +
    2 +
    t.x +
    3
end)
show(function()
  local v = "a" ..
    "b" ..
    t.x ..
    "c"
end)
show(function()
  t.x.y =
    1
end)
show(function()
  t.x.y = {
    1
  }
end)
show(function()
  while u.n <
    t.z do
  end
end)
show(function()
  repeat
    local q = 1
  until u.n and
    t.z.y
end)
show(function()
  if u.q then
    print(1)
  elseif u.n and
    t.z.y then
    print(2)
  end
end)
show(function()
  for k, v in
    pairs(nil) do
  end
end)
show(function()
  call(function()
    return 1
  end, t.a.b)
end)
show(function()
  call(function()
    return 1
  end,
  t.a.b)
end)
show(function()
  table.sort({ 3, 2 }, function(a, b)
    return a.x < b.x
  end)
end)
show(function()
  local v = u.x
    or t.a.b
  local w = t.a and
    t.a.b
    or t.c.d
end)
show(function()
  call(
    #t.a,
    1)
end)
show(function()
  call(
    1,
    -t.a)
end)
show(function()
  return not t.a
    and u.n < "x"
end)
show(function()
  undefined(
    1,
    2
  )
end)
show(function()
  call(
    1,
    undefined(
      2
    )
  )
end)
show(function()
  call(1, [[
    text
  ]], t.a.b)
end)
show(function()
  local v = assert(
    nil,
    "message"
  )
end)
show(function()
  string.rep(
    "x",
    {}
  )
end)
show(function()
  local v = u.n % 2 == 0
    and t.a % 2
end)
show(function()
  local a, b = t
    .x, t
    .y.z
end)
show(function()
  u.f(1)(
    2)
end)
show(function()
  local a = {
    { id = 1, name = "one" },
    { id = 2, name = "two" .. t.a },
    { id = 3, name = "three" },
  }
end)
show(function()
  local a = {
    f = function(x)
      return x.y
    end,
    g = t.a.b,
  }
end)
print(pcall(function()
  return {
    a = 1,
    b = u.n .. t,
  }
end))
call{
  s:rep(2),
  u.n + t
}
