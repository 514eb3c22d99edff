using Herd.Inference.Runtime;

namespace Herd.Inference.Kv.Offload;

/// <summary>The disk tier of offloaded sessions. Its results are posted to the engine's loop.</summary>
internal interface IDiskTier : IDisposable
{
    /// <summary>The maximum bytes of all files.</summary>
    long Capacity { get; }

    /// <summary>The sessions whose files an earlier process left, those used longest ago first.</summary>
    IEnumerable<(OffloadedSession Session, DateTime LastUsed)> Recover();

    /// <summary>Queues the write of a session's file.</summary>
    /// <param name="session">With its state in host memory.</param>
    /// <param name="written">Posted with the file's size, 0 when it could not be written.</param>
    /// <returns>False if too many bytes wait already.</returns>
    bool Write(OffloadedSession session, Action<long> written);

    /// <summary>Queues the read of a session's file.</summary>
    /// <param name="session">With a file.</param>
    /// <param name="read">Posted with the state and the time of the read. An invalid file gives null.</param>
    void Read(OffloadedSession session, Action<StateBuffer?, TimeSpan> read);

    /// <summary>Queues the deletion of a session's file.</summary>
    void Delete(string session);
}
