using System.Text;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Contracts.Nodes;
using Herd.Grains.Nodes.Sessions;
using Herd.Inference.Chat;
using Herd.Inference.Generation;
using Herd.Inference.Grammars;
using Herd.Inference.Kv;
using Herd.Inference.Kv.Snapshots;
using Herd.Inference.Models;
using Herd.Inference.Runtime;
using Herd.Inference.Sampling;
using Microsoft.Extensions.Logging;

namespace Herd.Grains.Nodes;

/// <summary>A loaded model with its engine and chat template.</summary>
internal sealed class LoadedModel(
    ModelSource source,
    ILlamaModel model,
    ChatTemplate template,
    Engine engine,
    TextEmbedder embedder,
    byte[] digest,
    long bytes)
    : IAsyncDisposable
{
    public string Id => source.Id;

    public Engine Engine => engine;

    public ChatTemplate Template => template;

    public SamplingDefaults Sampling => source.Sampling;

    public GrammarCache Grammars { get; } = new(model.Vocabulary);

    public TextEmbedder Embedder => embedder;

    /// <summary>The SHA-256 of the model's file, in hexadecimal.</summary>
    public string Digest => Convert.ToHexStringLower(digest);

    /// <summary>Bytes of weights, KV cache and buffers, estimated from the file.</summary>
    public long Bytes => bytes;

    /// <summary>True if the catalog has the digest. Then it was compared at load.</summary>
    public bool IsCatalogued => source.Sha256 is not null;

    public int VocabularySize => model.Vocabulary.Count;

    /// <summary>The binding of KV caches that are sent to other nodes or pulled from them.</summary>
    public SnapshotBinding Binding(byte[] key) => new(digest, engine.Layout, key);

    /// <summary>The measured cost of pulls from other nodes.</summary>
    public PullCostModel Pulls { get; } = new();

    /// <summary>A token's log-probability with the token's bytes instead of its number.</summary>
    public TokenLogProbs Describe(ChosenLogProb token) =>
        ToLogProb(token.Chosen, [.. token.Likeliest.Select(other => ToLogProb(other, []))]);

    /// <param name="tokens">Tokens of this model.</param>
    /// <param name="namesControls">True to write the names of control tokens; false to omit these tokens.</param>
    /// <exception cref="HerdException">A token is not in the vocabulary.</exception>
    public string Detokenize(IReadOnlyList<int> tokens, bool namesControls = false)
    {
        var bytes = new List<byte>();
        foreach (var token in tokens)
        {
            bytes.AddRange(token >= 0 && token < VocabularySize
                ? namesControls && model.Vocabulary.IsSpecial(token)
                    ? Encoding.UTF8.GetBytes(model.Vocabulary.Name(token))
                    : model.Vocabulary.Bytes(token)
                : throw new HerdException(
                    HerdError.InvalidArgument,
                    $"'tokens' contains {token}. The tokens of this model are 0 to {VocabularySize - 1}.",
                    "tokens"));
        }

        return Encoding.UTF8.GetString([.. bytes]);
    }

    /// <summary>The approximate number of tokens of a message in a prompt, with those that the template adds.</summary>
    public int CountTokens(HistoryMessage message) => template.TokensPerMessage
        + (message.Tokens?.Count ?? template.Tokenize(message.Text).Length);

    /// <exception cref="ModelLoadException">The file is damaged, does not fit, or cannot chat.</exception>
    public static LoadedModel Load(
        ILlamaRuntime runtime,
        ModelSource source,
        NodeOptions options,
        IEngineRunner runner,
        TimeProvider time,
        ILogger<Engine> logger,
        byte[] digest,
        byte[]? kvKey,
        IProgress<float> progress,
        CancellationToken cancellation)
    {
        var (weights, size) = Sizes(options);
        var bytes = runtime.Check(source.Path, weights, size);
        var model = runtime.Load(source.Path, weights, progress, cancellation);
        try
        {
            size = size.CellsPerSequence > 0 ? size : size with { CellsPerSequence = model.Info.ContextLength };
            var template = new ChatTemplate(
                model.Info.ChatTemplate
                ?? throw new ModelLoadException(
                    $"{source.Path} has no chat template. Choose a chat or instruct model."),
                model.Vocabulary,
                size.CellsPerSequence);
            var context = model.CreateContext(size);
            var engineOptions = EngineOptionsOf(options, runner, digest, kvKey);
            var engine = new Engine(context, model.Vocabulary, engineOptions, time, logger);
            return new LoadedModel(
                source, model, template, engine, new TextEmbedder(model, template, size.Threads), digest, bytes);
        }
        catch (TemplateException e)
        {
            model.Dispose();
            throw new ModelLoadException($"{source.Path} cannot be used for chat: {e.Message}", e);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>Checks a model's file, as <see cref="Load"/> does, while another model is loaded.</summary>
    /// <exception cref="ModelLoadException">The file is damaged, does not fit, or cannot chat.</exception>
    public static void Check(ILlamaRuntime runtime, ModelSource source, NodeOptions options, LoadedModel? loaded)
    {
        var (weights, size) = Sizes(options);
        runtime.Check(source.Path, weights, size, loaded?.Bytes ?? 0);
    }

    private static (ModelOptions Weights, ContextOptions Size) Sizes(NodeOptions options) => (
        new ModelOptions { GpuLayers = options.GpuLayers, TensorSplit = [.. options.TensorSplit] },
        new ContextOptions
        {
            Sequences = options.Slots,
            CellsPerSequence = options.ContextTokens,
            BatchTokens = options.BatchTokens,
            Threads = options.Threads > 0 ? options.Threads : Environment.ProcessorCount,
        });

    private static EngineOptions EngineOptionsOf(
        NodeOptions options, IEngineRunner runner, byte[] digest, byte[]? kvKey) => new()
    {
        Runner = runner,
        MaxQueued = options.MaxQueued,
        Speculate = options.Speculate,
        MaxStepSlowdown = options.MaxStepSlowdown,
        Kv = new KvOptions
        {
            HostBytes = options.KvHostBytes,
            Disk = options is { KvDirectory.Length: > 0, KvDiskBytes: > 0 }
                ? new KvDiskOptions(
                    options.SnapshotFolder,
                    options.KvDiskBytes,
                    digest,
                    SnapshotKey.ReadOrMake(Path.Combine(options.KvDirectory, "key")),
                    kvKey)
                : null,
        },
    };

    public ServedModel Describe()
    {
        var load = engine.Load;
        return new ServedModel
        {
            Id = Id,
            Description = model.Info.Description,
            ContextTokens = engine.ContextTokens,
            Defaults = new GenerationSettings
            {
                Temperature = Sampling.Temperature,
                TopK = Sampling.TopK,
                TopP = Sampling.TopP,
                MinP = Sampling.MinP,
            },
            Markup = (template.Tools == ToolStyle.Bare ? AnswerMarkup.BareCalls : AnswerMarkup.None)
                | (template.Thinks ? AnswerMarkup.Thinks : AnswerMarkup.None)
                | (template.BeginsThinking ? AnswerMarkup.BeginsThinking : AnswerMarkup.None),
            Slots = load.Slots,
            Active = load.Active,
            Queued = load.Queued,
            Sessions = load.Sessions,
            KvTokens = load.KvTokens,
            KvCapacity = load.KvCapacity,
            CharactersPerToken = template.CharactersPerToken,
            TokensPerMessage = template.TokensPerMessage,
            Figures = new EngineFigures
            {
                PrefillTokens = load.PrefillTokens,
                PrefillSeconds = load.PrefillSeconds,
                ShortPromptSeconds = load.ShortPromptSeconds,
                OffloadedSessions = load.OffloadedSessions,
                HostBytes = load.HostBytes,
                DiskBytes = load.DiskBytes,
                BytesPerToken = load.BytesPerToken,
                PrefillRate = load.PrefillRate,
                PromptRate = load.PromptRate,
                DecodeRate = load.DecodeRate,
                RestoreRate = load.RestoreRate,
                DiskRate = load.DiskRate,
                PullRate = Pulls.Rate,
                PullWait = Pulls.Wait,
                DeviceIdle = Math.Min(load.DeviceKeptFor.TotalSeconds, engine.Uptime.TotalSeconds),
                HostIdle = Math.Min(load.HostKeptFor.TotalSeconds, engine.Uptime.TotalSeconds),
                DiskIdle = load.DiskKeptFor.TotalSeconds,
                ForgottenIdle = load.ForgottenIdle?.TotalSeconds ?? 0,
                Prefixes = load.Prefixes,
                Queues = [.. load.Tenants.Select(Queue)],
                PromptsRate = load.PromptsRate,
                StepSeconds = load.StepSeconds,
                Age = Math.Max(0, engine.LoadAge.TotalSeconds),
            },
        };
    }

    private static TenantQueue Queue(TenantLoad load) => new(
        load.Tenant,
        load.Priority == Priority.Background ? TurnPriority.Background : TurnPriority.Interactive,
        load.Tokens,
        load.Prompts,
        load.ShortTokens,
        load.Waiting,
        load.Decoding,
        load.Service);

    private TokenLogProbs ToLogProb(TokenLogProb token, IReadOnlyList<TokenLogProbs> likeliest) =>
        new(model.Vocabulary.Bytes(token.Token).ToArray(), token.LogProb, likeliest);

    public async ValueTask DisposeAsync()
    {
        await engine.DisposeAsync();
        embedder.Dispose();
        template.Dispose();
        model.Dispose();
    }
}
