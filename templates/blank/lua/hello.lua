--- Greet whoever asks
--- @param name string Whom to greet; the caller, if it is left out
--- @example Ada
--
-- Anyone can send you `!hello Ada` in the chat. The lines above are what `!help` and `!help hello` answer.
-- Each file beside this one that has a `handle` function is a command: its name without `.lua`, after a `!`.

function handle(args)
    local name = args
    if name == "" then name = goop.peer.label end
    if name == "" then name = "stranger" end
    return "Hello, " .. name .. "!"
end
