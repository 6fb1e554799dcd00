-- The line of an operation is its own, however many lines its statement has.
-- expect: line-in-statement-of-several-lines.lua:45:
-- expect: line-in-statement-of-several-lines.lua:51:
-- expect: line-in-statement-of-several-lines.lua:56:
-- expect: line-in-statement-of-several-lines.lua:64:
-- expect: line-in-statement-of-several-lines.lua:71:
-- expect: line-in-statement-of-several-lines.lua:78:
-- expect: line-in-statement-of-several-lines.lua:84:
-- expect: line-in-statement-of-several-lines.lua:91:
-- expect: line-in-statement-of-several-lines.lua:95:
-- expect: line-in-statement-of-several-lines.lua:100:
-- expect: line-in-statement-of-several-lines.lua:104:
-- expect: line-in-statement-of-several-lines.lua:111:
-- expect: line-in-statement-of-several-lines.lua:117:
-- expect: line-in-statement-of-several-lines.lua:123:
-- expect: line-in-statement-of-several-lines.lua:129:
-- expect: line-in-statement-of-several-lines.lua:135:
-- expect: line-in-statement-of-several-lines.lua:139:
-- expect: line-in-statement-of-several-lines.lua:147:
-- expect: line-in-statement-of-several-lines.lua:151:
-- expect: line-in-statement-of-several-lines.lua:157:
-- expect: line-in-statement-of-several-lines.lua:161:
-- expect: line-in-statement-of-several-lines.lua:164:
-- expect: line-in-statement-of-several-lines.lua:172:
-- expect: line-in-statement-of-several-lines.lua:180:
-- expect: line-in-statement-of-several-lines.lua:183:
-- expect: line-in-statement-of-several-lines.lua:189:
-- expect: nil
-- expect: line-in-statement-of-several-lines.lua:201:
-- expect: line-in-statement-of-several-lines.lua:204:
-- expect: line-in-statement-of-several-lines.lua:210:
-- expect: line-in-statement-of-several-lines.lua:219:
-- expect: false	line-in-statement-of-several-lines.lua:225: attempt to concatenate a table value (upvalue 't')
-- expect: line-in-statement-of-several-lines.lua:231:
-- expect: line-in-statement-of-several-lines.lua:238:
-- expect-error: line-in-statement-of-several-lines.lua:243: attempt to perform arithmetic on a table value (local 't')
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
show(function(n, m)
  return {
    "a" .. 1,
    "b" .. m,
    n .. "c",
  }
end, 1)
show(function(n, m)
  return {
    7 % 2,
    m % 2,
  }
end, 1)
call{
  s:rep(2),
  u.n + t
}
