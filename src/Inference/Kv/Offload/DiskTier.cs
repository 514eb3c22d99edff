using System.Collections.Concurrent;
using Herd.Inference.Files;
using Herd.Inference.Kv.Snapshots;
using Herd.Inference.Runtime;
using Microsoft.Extensions.Logging;

namespace Herd.Inference.Kv.Offload;

/// <summary>
/// Files of offloaded sessions, written by one thread and read by another, so that the engine's loop never waits for a
/// disk and reads never wait for writes. Their results are posted to that loop.
/// </summary>
internal sealed class DiskTier : IDiskTier
{
    /// <summary>The maximum bytes of state that wait to be written. Further states are not written.</summary>
    private const long MaxWaitingBytes = 256L << 20;

    private readonly KvDiskOptions _options;
    private readonly byte[] _layout;
    private readonly SnapshotCipher? _cipher;
    private readonly Action<Action> _post;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly BlockingCollection<Action> _writes = [];
    private readonly BlockingCollection<Action> _reads = [];
    private readonly FileStream _lock;
    private readonly Thread[] _threads;
    private long _waitingBytes;

    /// <exception cref="InvalidDataException">Another process uses the folder, or it cannot be written.</exception>
    public DiskTier(KvDiskOptions options, string layout, Action<Action> post, TimeProvider time, ILogger logger)
    {
        _options = options;
        _cipher = options.EncryptionKey is { } key ? new SnapshotCipher(key) : null;
        _layout = SnapshotHeader.Digest(layout);
        _post = post;
        _time = time;
        _logger = logger;
        _lock = Lock(options.Directory);
        _threads = [Start("herd kv writes", _writes), Start("herd kv reads", _reads)];
    }

    public long Capacity => _options.Bytes;

    public IEnumerable<(OffloadedSession Session, DateTime LastUsed)> Recover()
    {
        foreach (var file in new DirectoryInfo(_options.Directory).EnumerateFiles()
            .OrderBy(file => file.LastWriteTimeUtc)
            .ToList())
        {
            if (file.Extension == KvFiles.Snapshot && TryReadHeader(file) is { } header)
            {
                yield return (
                    new OffloadedSession(header.Session, header.Tenant, header.Prefix, header.Tokens, header.StateBytes)
                    {
                        FileBytes = file.Length,
                    },
                    file.LastWriteTimeUtc);
            }
            else if (file.Extension is KvFiles.Snapshot or KvFiles.Draft)
            {
                file.Delete();
            }
        }
    }

    public bool Write(OffloadedSession session, Action<long> written)
    {
        var state = session.State!;
        if (Interlocked.Add(ref _waitingBytes, state.Length) > MaxWaitingBytes)
        {
            Interlocked.Add(ref _waitingBytes, -state.Length);
            return false;
        }

        var kept = false;
        state.DangerousAddRef(ref kept);
        _writes.Add(() =>
        {
            var bytes = 0L;
            try
            {
                bytes = SnapshotFile.Write(
                    PathOf(session.Session), Describe(session), state, _options.Key, _cipher);
            }
            catch (Exception e)
            {
                // Whatever it was: an exception that ends this thread would end the process.
                KvLog.NotWritten(_logger, state.Length, e.Message);
            }
            finally
            {
                state.DangerousRelease();
                Interlocked.Add(ref _waitingBytes, -state.Length);
                _post(() => written(bytes));
            }
        });
        return true;
    }

    public void Read(OffloadedSession session, Action<StateBuffer?, TimeSpan> read) => _reads.Add(() =>
    {
        var started = _time.GetTimestamp();
        StateBuffer? state = null;
        try
        {
            state = SnapshotFile.Read(PathOf(session.Session), Describe(session), _options.Key, _cipher);
        }
        catch (Exception e)
        {
            // Whatever it was, such as no memory for the state: the waiting allocations must hear of it.
            KvLog.NotRead(_logger, e.Message);
        }

        _post(() => read(state, _time.GetElapsedTime(started)));
    });

    public void Delete(string session) => _writes.Add(() =>
    {
        try
        {
            File.Delete(PathOf(session));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            KvLog.NotWritten(_logger, 0, e.Message);
        }
    });

    /// <summary>Finishes the queued writes and reads, then stops.</summary>
    public void Dispose()
    {
        _writes.CompleteAdding();
        _reads.CompleteAdding();
        Array.ForEach(_threads, thread => thread.Join());
        _writes.Dispose();
        _reads.Dispose();
        _lock.Dispose();
    }

    private static Thread Start(string name, BlockingCollection<Action> work)
    {
        var thread = new Thread(() =>
        {
            foreach (var action in work.GetConsumingEnumerable())
            {
                action();
            }
        }) { Name = name, IsBackground = true };
        thread.Start();
        return thread;
    }

    private SnapshotHeader Describe(OffloadedSession session) => new()
    {
        Model = _options.ModelDigest,
        Layout = _layout,
        Session = session.Session,
        Tenant = session.Tenant,
        Prefix = session.Prefix,
        Tokens = session.Tokens,
        StateBytes = session.Bytes,
    };

    private SnapshotHeader? TryReadHeader(FileInfo file)
    {
        try
        {
            using var stream = SnapshotFile.Open(file.FullName, _cipher);
            var header = SnapshotHeader.Read(stream);
            return header.Model.AsSpan().SequenceEqual(_options.ModelDigest)
                && header.Layout.AsSpan().SequenceEqual(_layout)
                && PathOf(header.Session) == file.FullName
                ? header
                : null;
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            KvLog.NotRead(_logger, e.Message);
            return null;
        }
    }

    private string PathOf(string session) => Path.Combine(
        Path.GetFullPath(_options.Directory),
        Convert.ToHexStringLower(SnapshotHeader.Digest(session)) + KvFiles.Snapshot);

    private static FileStream Lock(string directory)
    {
        try
        {
            PrivateFile.CreateFolder(directory);
            return new FileStream(
                Path.Combine(directory, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidDataException(
                $"The folder for KV caches {directory} cannot be used: {e.Message} Give each node a folder of its own.",
                e);
        }
    }
}
