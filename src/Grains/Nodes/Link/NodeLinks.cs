using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Google.Protobuf;
using Grpc.Core;
using Herd.Contracts.Nodes;
using Herd.Inference.Kv;
using Herd.Link.V1;
using Orleans.Serialization;

namespace Herd.Grains.Nodes.Link;

/// <summary>The links of other nodes, by address.</summary>
internal sealed class NodeLinks(ILinkTransport transport, Serializer<NodeReport> reports, TimeProvider time)
{
    private const int MostConnections = 3;

    /// <summary>Follows a node's reports.</summary>
    /// <param name="address">Its link.</param>
    /// <param name="silence">How long it may say nothing.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="RpcException">The connection broke.</exception>
    /// <exception cref="TimeoutException">The node was silent for too long.</exception>
    public async IAsyncEnumerable<NodeReport> Watch(
        string address, TimeSpan silence, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var call = Client(address).Watch(new WatchRequest(), cancellationToken: cancellation);
        while (await call.ResponseStream.MoveNext(cancellation).WaitAsync(silence, time, cancellation))
        {
            yield return reports.Deserialize(call.ResponseStream.Current.Report.Memory)
                ?? throw new InvalidDataException($"{address} sends an empty report.");
        }
    }

    /// <summary>Brings a session's KV cache from another node, over more than one connection where they break.</summary>
    /// <returns>The KV cache, and how long it was on its way since the other node had it ready.</returns>
    /// <exception cref="RpcException">There is nothing of the session there, or the node cannot be reached.</exception>
    /// <exception cref="InvalidDataException">What came is damaged, or is not this session's.</exception>
    public async Task<(SessionState State, TimeSpan Transfer)> Pull(
        string address, string session, string asSession, SnapshotReader snapshot, CancellationToken cancellation)
    {
        var digest = ByteString.Empty;
        var ready = 0L;
        for (var connection = 1; ; connection++)
        {
            var before = snapshot.Received;
            try
            {
                using var call = Client(address).PullSession(
                    new PullSessionRequest { Session = session, AsSession = asSession, Received = before, HeaderDigest = digest },
                    cancellationToken: cancellation);
                await foreach (var response in call.ResponseStream.ReadAllAsync(cancellation))
                {
                    switch (response.PartCase)
                    {
                        case PullSessionResponse.PartOneofCase.Header:
                            ready = ready == 0 ? time.GetTimestamp() : ready;
                            snapshot.Begin(response.Header.ToByteArray());
                            digest = ByteString.CopyFrom(SHA256.HashData(response.Header.Span));
                            break;
                        case PullSessionResponse.PartOneofCase.State:
                            snapshot.Append(response.State.Span);
                            break;
                        default:
                            return (snapshot.End(response.Seal.Span), time.GetElapsedTime(ready));
                    }
                }

                throw new InvalidDataException("The KV cache that was sent is refused: it has no seal.");
            }
            catch (RpcException e) when (e.StatusCode == StatusCode.Unavailable && snapshot.Received > before && connection < MostConnections)
            {
                // It broke in the middle; the rest comes over another one.
            }
        }
    }

    private Herd.Link.V1.NodeLinkService.NodeLinkServiceClient Client(string address) => new(transport.To(address));
}
