using System.Diagnostics;
using System.Text;
using Herd.Inference.Chat;
using Herd.Inference.Generation;
using Herd.Inference.Runtime;
using Herd.Inference.Sampling;
using Herd.Runtimes;
using Microsoft.Extensions.Logging.Abstractions;

namespace Herd.Load.Targets;

/// <summary>Herd's engine in this process, with the chat template.</summary>
internal sealed class EngineTarget : ITarget
{
    private static readonly Lazy<ILlamaRuntime> Runtime =
        new(() => NativeRuntime.Create(NullLoggerFactory.Instance));

    private readonly ILlamaModel _model;
    private readonly ChatTemplate _template;

    public EngineTarget(Setup setup, EngineOptions options)
    {
        Name = "herd engine";
        _model = Load(setup.Model);
        _template = new ChatTemplate(_model.Info.ChatTemplate!, _model.Vocabulary);
        var context = _model.CreateContext(new ContextOptions
        {
            Sequences = setup.Slots,
            CellsPerSequence = setup.Cells / setup.Slots,
            Threads = setup.Threads,
        });
        Engine = new Engine(
            context,
            _model.Vocabulary,
            options,
            TimeProvider.System,
            NullLogger<Engine>.Instance);
    }

    public static ILlamaModel Load(string file) =>
        Runtime.Value.Load(file, new ModelOptions(), null, CancellationToken.None);

    public string Name { get; init; }

    public Engine Engine { get; }

    public IVocabulary Vocabulary => _model.Vocabulary;

    public Task<Turn> Answer(Conversation conversation, int tokens) =>
        Answer(conversation, tokens, new SamplingOptions { Temperature = 0, IgnoreEnd = true });

    /// <summary>The same, with other settings.</summary>
    public async Task<Turn> Answer(Conversation conversation, int tokens, SamplingOptions sampling)
    {
        var started = Stopwatch.GetTimestamp();
        var prompt = _template.Render([.. conversation.Messages.Select(message => new ChatMessage(
            Enum.Parse<ChatRole>(message.Role, ignoreCase: true), message.Text, message.Tokens))]);
        var request = new GenerationRequest
        {
            Session = conversation.Id,
            Prompt = prompt,
            MaxTokens = tokens,
            Sampling = sampling,
        };
        var text = new StringBuilder();
        var answer = new List<int>();
        var arrivals = new List<double>();
        GenerationResult? result = null;
        await foreach (var update in Engine.Generate(request))
        {
            if (update.Tokens.Count > 0)
            {
                arrivals.Add(Stopwatch.GetElapsedTime(started).TotalSeconds);
            }

            text.Append(update.Text);
            answer.AddRange(update.Tokens);
            result = update.Result;
        }

        conversation.Messages.Add(new Message("assistant", text.ToString(), answer));
        return new Turn
        {
            Arrivals = [.. arrivals],
            Total = Stopwatch.GetElapsedTime(started).TotalSeconds,
            PromptTokens = result!.PromptTokens,
            CachedTokens = result.CachedTokens,
        };
    }

    public async ValueTask DisposeAsync()
    {
        await Engine.DisposeAsync();
        _template.Dispose();
        _model.Dispose();
    }
}
