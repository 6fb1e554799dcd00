-- Floats in the fields of a few tables.
local function body(x, y, z, vx, vy, vz, mass)
    return { x = x, y = y, z = z, vx = vx, vy = vy, vz = vz, mass = mass }
end

local function advance(bodies, dt)
    local count = #bodies
    for i = 1, count do
        local a = bodies[i]
        for j = i + 1, count do
            local b = bodies[j]
            local dx, dy, dz = a.x - b.x, a.y - b.y, a.z - b.z
            local distance = math.sqrt(dx * dx + dy * dy + dz * dz)
            local pull = dt / (distance * distance * distance)
            a.vx = a.vx - dx * b.mass * pull
            a.vy = a.vy - dy * b.mass * pull
            a.vz = a.vz - dz * b.mass * pull
            b.vx = b.vx + dx * a.mass * pull
            b.vy = b.vy + dy * a.mass * pull
            b.vz = b.vz + dz * a.mass * pull
        end
    end
    for i = 1, count do
        local a = bodies[i]
        a.x = a.x + dt * a.vx
        a.y = a.y + dt * a.vy
        a.z = a.z + dt * a.vz
    end
end

function handle()
    local bodies = {
        body(0, 0, 0, 0, 0, 0, 40),
        body(5, -1, 0, 0.5, 2.5, 0, 0.04),
        body(8, 4, -0.5, -1, 2, 0, 0.01),
        body(13, -15, -0.25, 1, 0.75, 0, 0.002),
        body(15, -26, 0.2, 1, 0.5, -0.1, 0.002),
    }
    for _ = 1, 1500 do advance(bodies, 0.005) end
    return string.format('%.6f', bodies[1].x + bodies[2].y)
end
