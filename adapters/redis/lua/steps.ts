/** What a turn does. Each step reads its arguments; without `isDone` it does nothing else. */
export const steps: string = String.raw`
local steps = {}
steps.publish = function(isDone)
  local kept = {}
  for i = 1, num() do kept[i] = { arg(), num(), num(), num(), arg() } end
  local message, tag, time, size, audience = arg(), arg(), num(), num(), arg()
  if not isDone then return end
  -- Logs that begin are told before.
  local logs = {}
  for i, one in ipairs(kept) do logs[i] = append(one[1], one[2], one[3], one[4], one[5], message, tag, time, size) end
  change('published', #kept)
  for i, one in ipairs(kept) do put(changes, one[1], logs[i].last, logs[i].before + 1) end
  put(changes, message, audience)
end
steps.reserve = function(isDone)
  local topic, epoch = arg(), arg()
  if isDone then reserve(topic, epoch) end
end
steps.delete = function(isDone)
  local topic, epoch = arg(), arg()
  local log = isDone and logOf(topic)
  if log and (written[topic] or not isLost(topic, log)) then beginLog(topic, epoch) end
end
steps.send = function(isDone)
  local name, tag, rest = arg(), arg(), arg()
  if isDone then send(name, tag, rest) end
end
steps.release = function(isDone, node)
  local name, offset = arg(), num()
  local session = isDone and sessionOf(name)
  if session and session.holder == node then releaseOwn(name, offset) end
end
steps.message = function(isDone)
  local node, connection, payload = arg(), arg(), arg()
  if isDone then notify(node, 'message', connection, payload) end
end
steps.present = function(isDone, node)
  local id, present = arg(), arg()
  if not isDone then return end
  local at, name = placeOf(present)
  if name ~= nil then
    -- Of a session's connection its holder alone says so.
    local session = sessionOf(name)
    if session == nil or session.isOver or session.holder ~= node then return end
    call('HSET', base .. 's:' .. name, 'i:' .. id, 1)
  else
    sadd('q:' .. at, id)
  end
  hset('p', id, present)
  change('present', id, present)
end
steps.absent = function(isDone)
  local id = arg()
  local present = isDone and call('HGET', base .. 'p', id)
  if not present then return end
  local at, name = placeOf(present)
  if name ~= nil then call('HDEL', base .. 's:' .. name, 'i:' .. id) else call('SREM', base .. 'q:' .. at, id) end
  absent(id)
end
steps.state = function(isDone, node)
  local name, snapshot = arg(), arg()
  local session = isDone and sessionOf(name)
  if session and session.holder == node and not session.isOver then call('HSET', base .. 's:' .. name, 'x', snapshot) end
end
`;

/** A batch. */
export const turns: string = String.raw`
local node, itsLife, number, after, tag, count = arg(), arg(), num(), num(), arg(), num()
local refused = refusal(node, itsLife)
if refused then return refused end
local stored = call('HMGET', base .. 'k:' .. node, 'b', 'r')
local batch = tonumber(stored[1] or '0')
if number == batch and stored[2] then
  -- A write, so that WAIT waits for all that this connection may not have written itself.
  call('HSET', base .. 'k:' .. node, 'b', batch)
  return stored[2]
end
if after ~= batch then return '!other' end
local results = {}
for _ = 1, count do
  local condition = arg()
  local isRefused = conditions[condition](results, node)
  for _ = 1, num() do steps[arg()](not isRefused, node) end
end
writeLogs()
tell(tag)
local out = {}
put(out, feed, feedTag, count)
local answer = table.concat(out) .. table.concat(results)
call('HSET', base .. 'k:' .. node, 'b', number, 'r', answer)
keepBegun()
return answer
`;
