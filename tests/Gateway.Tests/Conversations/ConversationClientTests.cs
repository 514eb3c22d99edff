using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Reflection;
using System.Runtime.CompilerServices;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Gateway.Conversations;
using Herd.Gateway.Hosting;
using Herd.Gateway.Telemetry;
using Herd.Gateway.Tenants;
using Herd.Grains.Accounting.Limits;
using Herd.Grains.Conversations;
using Herd.Grains.Conversations.Storage;
using Herd.Grains.Conversations.Turns.Events;
using Herd.Grains.Routing;
using Herd.Grains.Scaling;
using Herd.Testing;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Herd.Gateway.Tests.Conversations;

public sealed class ConversationClientTests : IDisposable
{
    private readonly FakeTimeProvider _time = new() { AutoAdvanceAmount = TimeSpan.FromMilliseconds(1) };
    private readonly NodeRegistry _registry;
    private readonly Quotas _quotas;
    private readonly GatewayMetrics _metrics;
    private readonly GatewayDrain _drain;
    private readonly Admission _admission;

    public ConversationClientTests()
    {
        _registry = new NodeRegistry(Pools.None, _time);
        var router = new Router(_registry, Options.Create(new RoutingOptions()), _time);
        _admission = new Admission(router, Options.Create(new GatewayOptions()));
        _quotas = new Quotas(new LocalCounts(_time));
        _metrics = new GatewayMetrics(_registry, () => [], () => 0);
        _drain = new GatewayDrain(_time);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>
    /// Orleans reports in several ways that a conversation's gateway left. The caller sees none of them.
    /// </summary>
    [Theory]
    [InlineData(typeof(OperationCanceledException))]
    [InlineData(typeof(EnumerationAbortedException))]
    [InlineData(typeof(SiloUnavailableException))]
    [InlineData(typeof(TimeoutException))]
    public async Task Converse_ConversationIsLostInMidAnswer_ResumesBehindTheDeliveredPart(Type failure)
    {
        var conversation = BreakingConversation.New((Exception)Activator.CreateInstance(failure)!);

        var answer = "";
        await foreach (var update in Make(conversation).Converse(Anybody, "conv_1", Request, Cancellation))
        {
            answer += update.Delta?.Text;
        }

        Assert.Equal("abc", answer);
        Assert.Equal([0, 2], conversation.Offsets);
    }

    /// <summary>The HTTP interfaces stop at the completed turn.</summary>
    [Fact]
    public async Task Converse_ReaderStopsAtTheCompletedTurn_TokensAreCharged()
    {
        var tenant = new Tenant("alice", TenantRole.User, new TenantLimits { TokensPerMinute = 5 });
        var conversation = BreakingConversation.New(new TimeoutException());

        await foreach (var update in Make(conversation).Converse(tenant, "conv_1", Request, Cancellation))
        {
            if (update.Completed is not null)
            {
                break;
            }
        }

        var refusal = await Assert.ThrowsAsync<HerdException>(() => _quotas.Begin(tenant, 1, 0));
        Assert.Equal(HerdError.QuotaExceeded, refusal.Error);
    }

    [Fact]
    public async Task Converse_CallerHasCancelled_IsNotAskedAgain()
    {
        var conversation = BreakingConversation.New(new OperationCanceledException());
        using var gone = new CancellationTokenSource();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var _ in Make(conversation).Converse(Anybody, "conv_1", Request, gone.Token))
            {
                await gone.CancelAsync();
            }
        });

        Assert.Single(conversation.Offsets);
    }

    [Fact]
    public async Task Converse_GatewayDrains_IsRefused()
    {
        var conversation = BreakingConversation.New(null);
        await _drain.StoppingAsync(Cancellation);

        var error = await Assert.ThrowsAsync<HerdException>(async () =>
        {
            await foreach (var update in Make(conversation).Converse(Anybody, "conv_1", Request, Cancellation))
            {
                Assert.Fail($"It streamed {update}.");
            }
        });

        Assert.Equal(HerdError.Unavailable, error.Error);
        Assert.Empty(conversation.Offsets);
    }

    [Fact]
    public async Task Converse_GatewayDrainsInMidAnswer_EndsAsUnavailable()
    {
        var conversation = BreakingConversation.New(new HerdException(HerdError.Conflict, "It moves."));

        var error = await Assert.ThrowsAsync<HerdException>(async () =>
        {
            await foreach (var _ in Make(conversation).Converse(Anybody, "conv_1", Request, Cancellation))
            {
                await _drain.StoppingAsync(Cancellation);
            }
        });

        Assert.Equal(HerdError.Unavailable, error.Error);
        Assert.Single(conversation.Offsets);
    }

    [Fact]
    public async Task Converse_StreamEndsWithoutAResult_Throws()
    {
        var conversation = BreakingConversation.New(null);

        var error = await Assert.ThrowsAsync<HerdException>(async () =>
        {
            await foreach (var _ in Make(conversation).Converse(Anybody, "conv_1", Request, Cancellation))
            {
                // Only the end matters.
            }
        });

        Assert.Equal(HerdError.Unavailable, error.Error);
        Assert.Single(conversation.Offsets);
    }

    /// <summary>A stateless request that finds a conversation busy tries the next one: no failure.</summary>
    [Fact]
    public async Task Converse_AdmittedTurnFails_IsCountedOnce()
    {
        // Other tests count in meters of the same name, but no turn of theirs fails like this one.
        var failures = new ConcurrentQueue<string?>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Name == "herd.turns.failed")
                {
                    self.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>(
            (_, _, tags, _) => failures.Enqueue(tags.ToArray().Single(tag => tag.Key == "error.type").Value as string));
        listener.Start();

        foreach (var error in new[] { HerdError.AnswerLost, HerdError.TurnInProgress })
        {
            await Assert.ThrowsAsync<HerdException>(async () =>
            {
                var conversation = BreakingConversation.New(new HerdException(error, "It fails."));
                await foreach (var _ in Make(conversation).Converse(Anybody, "conv_1", Request, Cancellation))
                {
                    // Only the end matters.
                }
            });
        }

        Assert.Single(failures, nameof(HerdError.AnswerLost));
        Assert.DoesNotContain(nameof(HerdError.TurnInProgress), failures);
    }

    public void Dispose()
    {
        _metrics.Dispose();
        _drain.Dispose();
        _admission.Dispose();
    }

    private static Tenant Anybody { get; } = new(Tenant.Everybody, TenantRole.User, new TenantLimits());

    private static TurnRequest Request { get; } =
        new() { TurnId = "turn_1", Input = [], Settings = new GenerationSettings() };

    private ConversationClient Make(BreakingConversation conversation) => new(
        Always.Return<IGrainFactory>(conversation),
        new TurnEventReader(new LocalEventChannels()),
        Always.Return<IConversationStore>(null),
        new StoredBytes(Always.Return<IByteLimits>(Task.CompletedTask)),
        _quotas,
        _admission,
        _metrics,
        _drain,
        _time);

    /// <summary>
    /// A conversation whose first stream fails after two parts of the answer. Without a failure, the stream ends there.
    /// </summary>
    public class BreakingConversation : DispatchProxy
    {
        private Exception? _failure;

        /// <summary>The offset of each call, in bytes.</summary>
        public List<long> Offsets { get; } = [];

        internal static BreakingConversation New(Exception? failure)
        {
            var conversation = (BreakingConversation)(object)Create<IConversationGrain, BreakingConversation>();
            conversation._failure = failure;
            return conversation;
        }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
            Converse((TurnRequest)args![0]!, (CancellationToken)args[1]!);

        private async IAsyncEnumerable<TurnEvent> Converse(
            TurnRequest request, [EnumeratorCancellation] CancellationToken cancellation)
        {
            Offsets.Add(request.Offset.Bytes);
            await Task.Yield();
            yield return new TurnEvent { Delta = AnswerDelta.Empty };
            foreach (var letter in "abc"[(int)request.Offset.Bytes..])
            {
                cancellation.ThrowIfCancellationRequested();
                if (letter == 'c' && Offsets.Count == 1)
                {
                    if (_failure is null)
                    {
                        yield break;
                    }

                    throw _failure;
                }

                yield return new TurnEvent { Delta = new AnswerDelta($"{letter}", 1), Computed = 2 };
            }

            yield return new TurnEvent
            {
                Completed = new Turn
                {
                    Id = request.TurnId,
                    State = TurnState.Completed,
                    Input = [],
                    Created = DateTimeOffset.UnixEpoch,
                    Settings = request.Settings,
                    Usage = new Usage(PromptTokens: 10, CompletionTokens: 3, CachedTokens: 0),
                },
            };
        }
    }
}
