using System.Collections.Concurrent;

namespace Herd.Grains.Nodes.Sessions;

/// <summary>The replay buffers of a node's sessions, by the sessions' keys. Thread-safe.</summary>
internal sealed class ReplayBuffers
{
    private readonly ConcurrentDictionary<string, ReplayBuffer> _buffers = new();

    public IEnumerable<string> Sessions => _buffers.Keys;

    public void Add(string session, ReplayBuffer buffer) => _buffers[session] = buffer;

    /// <summary>Removes a session's buffer, unless another activation has added its own.</summary>
    public void Remove(string session, ReplayBuffer buffer) => _buffers.TryRemove(new(session, buffer));

    /// <summary>Erases the answer of a session.</summary>
    /// <returns>False while it is being generated.</returns>
    public bool TryErase(string session) => !_buffers.TryGetValue(session, out var buffer) || buffer.TryErase();
}
