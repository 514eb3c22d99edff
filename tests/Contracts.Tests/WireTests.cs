using System.Text.Json;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Contracts.Nodes;
using Herd.Contracts.Placements;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;

namespace Herd.Contracts.Tests;

/// <summary>
/// Grain messages are a contract between versions: an earlier build's messages are still read. When one of these fails,
/// a number or an alias has changed that must not; add fields with new numbers instead.
/// </summary>
public sealed class WireTests
{
    private const string RequestV1 =
        "IOhADXR1cm5fMTEBbZ+tPllSZWFkT25seUxpc3RJbnRlcmZhY2VDb2RlY2AxW1toZXJkLk1lc3NhZ2VdXQADIegIAwlBC2hlbGxv4OAh6GAAA"
            + "AA/wQHBAcEBAQ8BJTEBw9luPk1SZWFkT25seUxpc3RJbnRlcmZhY2VDb2RlY2AxW1tzdHJpbmddXQADQQN44OBBA20BA+A=";
    private const string SessionV1 =
        "IOgADTEB59N6k2dSZWFkT25seUxpc3RJbnRlcmZhY2VDb2RlY2AxW1toZXJkLkhpc3RvcnlNZXNzYWdlXV0AAyHoCAMNQQVoaTEBDTuQd1FTe"
            + "XN0ZW0uQ29sbGVjdGlvbnMuR2VuZXJpYy5MaXN0YDFbW2ludF1dAAUBBQAJ4ODgOQUABQERABXgIejAAQGhwQHBAcEBwQEpNeDg4A==";

    private const string RequestV2 =
        "IOhADXR1cm5fMTEBbZ+tPllSZWFkT25seUxpc3RJbnRlcmZhY2VDb2RlY2AxW1toZXJkLk1lc3NhZ2VdXQADIegIAwlBC2hlbGxv4OAh6GAAA"
            + "AA/wQHBAcEBwQHBASk14GFmZmY/IehgzcyMP2HNzEw+YZqZmT7gIehgzcxMP2EAAOA/AQngIehgAAAAP2HNzMw94CHoYAAAoEBhzczM"
            + "PeAxAduD+eVtU3lzdGVtLkNvbGxlY3Rpb25zLkdlbmVyaWMuRGljdGlvbmFyeWAyW1tpbnRdLFtmbG9hdF1dAQMBHWAAAMjC4AEDIeh"
            + "AI3sidHlwZSI6Im9iamVjdCJ94AkDBQkDBeBBA20BA+A=";
    private const string SessionV2 =
        "IOgADTEB59N6k2dSZWFkT25seUxpc3RJbnRlcmZhY2VDb2RlY2AxW1toZXJkLkhpc3RvcnlNZXNzYWdlXV0AAyHoCAMNQQVoaTEBDTuQd1FTe"
            + "XN0ZW0uQ29sbGVjdGlvbnMuR2VuZXJpYy5MaXN0YDFbW2ludF1dAAUBBQAJ4ODgOQUABQERABXgIehgAAAAP8EBwQHBAcEBwQEpNeBh"
            + "ZmZmPyHoYM3MjD9hzcxMPmGamZk+4CHoYM3MTD9hAADgPwEJ4CHoYAAAAD9hzczMPeAh6GAAAKBAYc3MzD3gMQHbg/nlbVN5c3RlbS5"
            + "Db2xsZWN0aW9ucy5HZW5lcmljLkRpY3Rpb25hcnlgMltbaW50XSxbZmxvYXRdXQEDAR1gAADIwuABAyHoQCN7InR5cGUiOiJvYmplY3"
            + "QifeAJAwUJAwXgYQAAkEDg";
    private const string EventV2 = "IOgwAQ07kHdRU3lzdGVtLkNvbGxlY3Rpb25zLkdlbmVyaWMuTGlzdGAxW1tpbnRdXQADAQXgQQN4IegIAw"
        + "kBAyHoAA0BCQEF4CHogAAAAAAAAAAAgYCWmAAAAAAAgQAtMQEAAAAA4OBhAACQQOA=";

    private const string RequestV3 =
        "IOhADXR1cm5fMTEBbZ+tPllSZWFkT25seUxpc3RJbnRlcmZhY2VDb2RlY2AxW1toZXJkLk1lc3NhZ2VdXQADIegIAwlBC2hlbGxv4OAh6GAAA"
            + "AA/wQHBAcEBAQ8BJTEBw9luPk1SZWFkT25seUxpc3RJbnRlcmZhY2VDb2RlY2AxW1tzdHJpbmddXQADQQN44MEBwQHBAcEBwQHBAQEB"
            + "wQEJAwEJAwHgQQNtAQMh6AAxAQ3g4A==";
    private const string SessionV3 =
        "IOgADTEB59N6k2dSZWFkT25seUxpc3RJbnRlcmZhY2VDb2RlY2AxW1toZXJkLkhpc3RvcnlNZXNzYWdlXV0AAyHoCAMNQQVoaTEBDTuQd1FTe"
            + "XN0ZW0uQ29sbGVjdGlvbnMuR2VuZXJpYy5MaXN0YDFbW2ludF1dAAUBBQAJ4ODgOQUABQERABXgIejAAQGhwQHBAcEBwQEpNeDBAcEB"
            + "wQHBAcEBwQEBAcEBCQMBCQMB4MEBQQ10dXJuXzFBBXNv4A==";
    private const string ReportV3 =
        "IOhADW5vZGUtMQkDFQEdQQNyYQAAAAAxAe4aOHdhUmVhZE9ubHlMaXN0SW50ZXJmYWNlQ29kZWNgMVtbaGVyZC5TZXJ2ZWRNb2RlbF1dAAMh6"
            + "EADbUEDZAElIejAAcEBwQHBAcEBwQEpNeDBAcEBwQHBAcEBwQEBAcEBCQMBCQMB4AEBAQEBAQEBAQEBASHoAAEBAQEBAQGBAAAAAAAA"
            + "AACBAAAAAAAAAACBAAAAAAAAAACBAAAAAAAAAACBAAAAAAAAAAAxAVLf3LxVU3lzdGVtLkNvbGxlY3Rpb25zLkdlbmVyaWMuTGlzdGA"
            + "xW1t1bG9uZ11dAAMBC+CBAAAAAAAA8D+BAAAAAAAAAECBAAAAAAAACECBAAAAAAAAEEDg4OBBJWh0dHA6Ly8xMjcuMC4wLjE6MeA=";
    private const string DecisionV3 =
        "IOgggACAtff1f58IgQAAAAAAAAAA4AkDDUEDcEEDYkEDYQENMQEwpQwSZVN5c3RlbS5Db2xsZWN0aW9ucy5HZW5lcmljLkxpc3RgMVtbaGVyZ"
            + "C5Gb3JlY2FzdF1dAAMh6MAPgQAAAAAAAPA/CQMVgQAAAAAAAABAgQAAAAAAAAhAgQAAAAAAABBAgQAAAAAAABRA4OAh6AAFAQmBAAAA"
            + "AAAACEBBB3doeeDg";
    private const string FiguresV4 = "IOgAAQEBAQEBAYEAAAAAAAAAAIEAAAAAAAAAAIEAAAAAAAAAAIEAAAAAAAAAAIEAAAAAAAAAADEBSXEa"
        + "ow91bG9uZ1td4IEAAAAAAAAAAIEAAAAAAAAAAIEAAAAAAAAAAIEAAAAAAAAQQIEAAAAAAADgP+A=";
    private const string RequestV4 =
        "IOhADXR1cm5fMTEBbZ+tPllSZWFkT25seUxpc3RJbnRlcmZhY2VDb2RlY2AxW1toZXJkLk1lc3NhZ2VdXQADIegIAwlBC2hlbGxv4OAh6GAAA"
            + "AA/wQHBAcEBAQ8BJTEBw9luPk1SZWFkT25seUxpc3RJbnRlcmZhY2VDb2RlY2AxW1tzdHJpbmddXQADQQN44MEBwQHBAcEBwQHBAQEB"
            + "wQEJAwEJAwHgQQNtAQMh6AAxAQ0BHeDg";
    private const string DeltaV4 = "IOhAA3gBBQEd4A==";
    private const string CompletedV3 = "IOjAASHoQAN4AQXgwQEBA+A=";

    private const string SettingsV5 = "IOjAAcEBwQHBAcEBwQEpNeDBAcEBwQHBAcEBwQEBAcEBCQMBCQMBwQExAQ1xRQldU3lzdGVtLkNvbGx"
        + "lY3Rpb25zLkdlbmVyaWMuTGlzdGAxW1toZXJkLlRvb2xdXQADIehAA2ZBA2RBBXt9AQPg4CHoAAPBL+ABA+A=";
    private const string TurnV5 =
        "IOhADXR1cm5fMQkDCTEBzofPCGNTeXN0ZW0uQ29sbGVjdGlvbnMuR2VuZXJpYy5MaXN0YDFbW2hlcmQuTWVzc2FnZV1dAAMh6AgDEUEFNDLg4"
            + "CGAAIC19/V/nwiBAAAAAAAAAADgwQEh6MABwQHBAcEBwQHBASk14MEBwQHBAcEBwQHBAQEBwQEJAwEJAwHBAcEBwQEBAeAh6EABKTPg"
            + "AQPgCQMBwQHBAcEBwQEBA+A=";
    private const string ModelV5 =
        "IOhAA21BA2QBJSHowAHBAcEBwQHBAcEBKTXgwQHBAcEBwQHBAcEBAQHBAQkDAQkDAcEBwQHBAQEB4AEBAQEBAQEBAQEBAcEBCQMN4A==";

    private const string RequestV6 =
        "IOhADXR1cm5fMTEBbZ+tPllSZWFkT25seUxpc3RJbnRlcmZhY2VDb2RlY2AxW1toZXJkLk1lc3NhZ2VdXQADIegIAwlBC2hlbGxv4OAh6GAAA"
            + "AA/wQHBAcEBAQ8BJTEBw9luPk1SZWFkT25seUxpc3RJbnRlcmZhY2VDb2RlY2AxW1tzdHJpbmddXQADQQN44MEBwQHBAcEBwQHBAQEB"
            + "wQEJAwEJAwHBAcEBwQEBAeBBA20BAyHoAAEBAQEB4MEBQRMwMC1hLWItMDHg";
    private const string SessionV6 =
        "IOgADTEB59N6k2dSZWFkT25seUxpc3RJbnRlcmZhY2VDb2RlY2AxW1toZXJkLkhpc3RvcnlNZXNzYWdlXV0AAyHoCAMNQQVoaTEBDTuQd1FTe"
            + "XN0ZW0uQ29sbGVjdGlvbnMuR2VuZXJpYy5MaXN0YDFbW2ludF1dAAUBBQAJ4ODgOQUABQERABXgIejAAQGhwQHBAcEBwQEpNeDBAcEB"
            + "wQHBAcEBwQEBAcEBCQMBCQMBwQHBAcEBAQHgwQFBAcFPQRMwMC1hLWItMDHg";

    private const string FiguresV6 = "IOgAAQEBAQEBAYEAAAAAAAAAAIEAAAAAAAAAAIEAAAAAAAAAAIEAAAAAAAAAAIEAAAAAAAAAADEBSXEa"
        + "ow91bG9uZ1td4IEAAAAAAAAAAIEAAAAAAAAAAIEAAAAAAAAAAIEAAAAAAAAAAIEAAAAAAAAAAIEAAAAAAAAAAIEAAAAAAADgP+A=";
    private const string FactsV6 = "IOhAAzFBA20hgACAtff1f58IgQAAAAAAAAAA4AEJAQUBCQENAREBFQEZAQNBA2QBA+A=";
    private const string AdviceV6 = "IOhAA20BDQEJgQAAAAAAAOA/gQAAAAAAAABAgQAAAAAAAOg/AQUxAVnRtylXU3lzdGVtLkNvbGxlY3Rpb"
        + "25zLkdlbmVyaWMuTGlzdGAxW1tzdHJpbmddXQADQQNh4OA=";
    private const string HeldV6 =
        "IOhAA2cxAf78/atvU3lzdGVtLkNvbGxlY3Rpb25zLkdlbmVyaWMuRGljdGlvbmFyeWAyW1tzdHJpbmddLFtpbnRdXQEDQQNtAAng4A==";

    private const string RequestV7 =
        "IOhADXR1cm5fMTEBbZ+tPllSZWFkT25seUxpc3RJbnRlcmZhY2VDb2RlY2AxW1toZXJkLk1lc3NhZ2VdXQADIegIAwlBC2hlbGxv4OAh6GAAA"
            + "AA/wQHBAcEBAQ8BJTEBw9luPk1SZWFkT25seUxpc3RJbnRlcmZhY2VDb2RlY2AxW1tzdHJpbmddXQADQQN44MEBwQHBAcEBwQHBAQEB"
            + "wQEJAwEJAwHBAcEBwQEBAeBBA20BAyHoAAEBAQEB4MEBwQExAds2rXN1U3lzdGVtLkNvbGxlY3Rpb25zLkdlbmVyaWMuRGljdGlvbmF"
            + "yeWAyW1tzdHJpbmddLFtzdHJpbmddXQEDQQNrQAN24OA=";
    private const string TurnV7 =
        "IOhADXR1cm5fMQkDCTEBzofPCGNTeXN0ZW0uQ29sbGVjdGlvbnMuR2VuZXJpYy5MaXN0YDFbW2hlcmQuTWVzc2FnZV1dAAMh6AgDCUEFaGng4"
            + "CGAAIC19/V/nwiBAAAAAAAAAADgwQEh6MABwQHBAcEBwQHBASk14MEBwQHBAcEBwQHBAQEBwQEJAwEJAwHBAcEBwQEBAeAh6EABKTPg"
            + "AQPgCQMBwQHBAcEBwQEBATEB2zatc3VTeXN0ZW0uQ29sbGVjdGlvbnMuR2VuZXJpYy5EaWN0aW9uYXJ5YDJbW3N0cmluZ10sW3N0cml"
            + "uZ11dAQNBA2tAA3bg4A==";

    private const string RequestV8 =
        "IOhADXR1cm5fMTEBbZ+tPllSZWFkT25seUxpc3RJbnRlcmZhY2VDb2RlY2AxW1toZXJkLk1lc3NhZ2VdXQADIegIAwlBC2hlbGxv4OAh6GAAA"
            + "AA/wQHBAcEBAQ8BJTEBw9luPk1SZWFkT25seUxpc3RJbnRlcmZhY2VDb2RlY2AxW1tzdHJpbmddXQADQQN44MEBwQHBAcEBwQHBAQEB"
            + "wQEJAwEJAwHBAcEBwQEBAeBBA20BAyHoADEBDQEdARPgwQHBAcEB4A==";
    private const string FiguresV9 =
        "IOgAAQEBAQEBAYEAAAAAAAAAAIEAAAAAAAAAAIEAAAAAAAAAAIEAAAAAAAAAAIEAAAAAAAAAADEBSXEaow91bG9uZ1td4IEAAAAAAAAAAIEAA"
            + "AAAAAAAAIEAAAAAAAAAAIEAAAAAAAAAAIEAAAAAAAAAAIEAAAAAAAAAAIEAAAAAAAAAAIEAAAAAAADgP4EAAAAAAADQP+A=";
    private const string RequestV10 =
        "IOhADXR1cm5fMTEBbZ+tPllSZWFkT25seUxpc3RJbnRlcmZhY2VDb2RlY2AxW1toZXJkLk1lc3NhZ2VdXQADIegIAwlBC2hlbGxv4OAh6GAAA"
            + "AA/wQHBAcEBAQ8BJTEBw9luPk1SZWFkT25seUxpc3RJbnRlcmZhY2VDb2RlY2AxW1tzdHJpbmddXQADQQN44MEBwQHBAcEBwQHBAQEB"
            + "wQEJAwEJAwHBAcEBwQEBAeBBA20BAyHoAAEBAQEBAQHgwQHBAcEBQSEzIhEAVUR3ZoiZqrvM3e7/4A==";
    private const string LoadV11 = "IOgACUEDbQkDFSGAAAD4tMhI3giBAAAAAAAAAADgQQ9kYW1hZ2Vk4A==";
    private const string DeltaV8 = "IOhAA3gBBQEdwQEBE+A=";

    private static readonly ServiceProvider Services = new ServiceCollection().AddSerializer().BuildServiceProvider();
    private static readonly Serializer Serializer = Services.GetRequiredService<Serializer>();

    private static readonly TurnRequest Request = new()
    {
        TurnId = "turn_1",
        Input = [new Message(Role.User, "hello")],
        Settings = new GenerationSettings { Temperature = 0.5f, Seed = 7, MaxTokens = 9, Stops = ["x"] },
        Model = "m",
        IsWholeHistory = true,
    };

    private static readonly SessionRequest Session = new()
    {
        Epoch = 3,
        Messages = [new HistoryMessage(Role.Assistant, "hi", new List<int> { 1, 2 })],
        Produced = new List<int> { 4, 5 },
        Settings = new GenerationSettings { TopK = 40 },
    };

    /// <summary>Version 2 added kinds of sampling, the form of answers, the overflow, priorities.</summary>
    private static readonly GenerationSettings Settings = new()
    {
        Temperature = 0.5f,
        TypicalP = 0.9f,
        Penalties = new PenaltySettings(1.1f, 0.2f, 0.3f),
        Dry = new DrySettings(0.8f, 1.75f, 2),
        Xtc = new XtcSettings(0.5f, 0.1f),
        Mirostat = new MirostatSettings(5, 0.1f),
        Bias = new Dictionary<int, float> { [7] = -100 },
        IgnoreEnd = true,
        Form = new AnswerForm("""{"type":"object"}"""),
        Overflow = ContextOverflow.Shift,
        Priority = TurnPriority.Background,
    };

    /// <summary>Version 3 added offsets, replay buffers, links, tiers, decisions.</summary>
    [Fact]
    public void TurnRequest_WrittenByVersion3_IsRead() =>
        AssertReads(Request with { Offset = new AnswerOffset(12, 3) }, RequestV3);

    [Fact]
    public void SessionRequest_WrittenByVersion3_IsRead() =>
        AssertReads(Session with { Turn = "turn_1", ProducedText = "so" }, SessionV3);

    [Fact]
    public void NodeReport_WrittenByVersion3_IsRead() => AssertReads(
        new NodeReport
        {
            Node = "node-1",
            State = NodeState.Stalled,
            ProcessId = 7,
            Runtime = "r",
            Link = "http://127.0.0.1:1",
            Models =
            [
                new ServedModel
                {
                    Id = "m",
                    Description = "d",
                    ContextTokens = 9,
                    Defaults = new GenerationSettings(),
                    Figures = new EngineFigures
                    {
                        DeviceIdle = 1,
                        HostIdle = 2,
                        DiskIdle = 3,
                        PullRate = 4,
                        Prefixes = new List<ulong> { 5 },
                    },
                },
            ],
        },
        ReportV3);

    [Fact]
    public void EngineFigures_WrittenByVersion4_IsRead() =>
        AssertReads(new EngineFigures { PullRate = 4, PullWait = 0.5 }, FiguresV4);

    [Fact]
    public void TurnRequest_WrittenByVersion4_IsRead() =>
        AssertReads(Request with { Offset = new AnswerOffset(12, 3, 7) }, RequestV4);

    [Fact]
    public void AnswerDelta_WrittenByVersion4_IsRead() => AssertReads(new AnswerDelta("x", 1, 7), DeltaV4);

    /// <summary>Version 5 added functions, raw prompts, deleted turns, the markup of answers.</summary>
    [Fact]
    public void GenerationSettings_WrittenByVersion5_IsRead() => AssertReads(
        new GenerationSettings
        {
            Tools = new List<Tool> { new("f", "d", "{}", true) },
            ToolChoice = new ToolChoice(true, "f"),
            IsRaw = true,
        }, SettingsV5);

    [Fact]
    public void Turn_WrittenByVersion5_IsRead() => AssertReads(
        new Turn
        {
            Id = "turn_1",
            State = TurnState.Completed,
            Input = new List<Message> { new(Role.Tool, "42") },
            Created = DateTimeOffset.UnixEpoch,
            Settings = new GenerationSettings(),
            IsDeleted = true,
        },
        TurnV5);

    [Fact]
    public void ServedModel_WrittenByVersion5_IsRead() => AssertReads(
        new ServedModel
        {
            Id = "m",
            Description = "d",
            ContextTokens = 9,
            Defaults = new GenerationSettings(),
            Markup = AnswerMarkup.BareCalls | AnswerMarkup.Thinks,
        },
        ModelV5);

    [Fact]
    public void EngineFigures_WrittenByVersion6_IsRead() =>
        AssertReads(new EngineFigures { ForgottenIdle = 0.5 }, FiguresV6);

    [Fact]
    public void PoolAdvice_WrittenByVersion6_IsRead() => AssertReads(
        new PoolAdvice
        {
            Model = "m",
            Wanted = 3,
            Ready = 2,
            Ttft = 0.5,
            TargetTtft = 2,
            SlotUse = 0.75,
            Held = 1,
            Retiring = new List<string> { "a" },
        }, AdviceV6);

    [Fact]
    public void NodeFacts_WrittenByVersion6_IsRead() => AssertReads(
        new NodeFacts
        {
            Version = "1",
            Machine = "m",
            Time = DateTimeOffset.UnixEpoch,
            Cores = 2,
            Threads = 1,
            Gpu = 2,
            FreeMemory = 3,
            WantedMemory = 4,
            FreeDisk = 5,
            WantedDisk = 6,
            IsKeyOpen = true,
            Digest = "d",
            IsCatalogued = true,
        },
        FactsV6);

    [Fact]
    public void HeldTurns_WrittenByVersion6_IsRead() =>
        AssertReads(new HeldTurns("g", new Dictionary<string, int> { ["m"] = 2 }), HeldV6);

    /// <summary>Version 6 added traces, and sizes of pools.</summary>
    [Fact]
    public void TurnRequest_WrittenByVersion6_IsRead() => AssertReads(Request with { Trace = "00-a-b-01" }, RequestV6);

    [Fact]
    public void SessionRequest_WrittenByVersion6_IsRead() =>
        AssertReads(Session with { Trace = "00-a-b-01" }, SessionV6);

    /// <summary>Version 7 added metadata of turns.</summary>
    [Fact]
    public void TurnRequest_WrittenByVersion7_IsRead() => AssertReads(
        Request with { Metadata = new Dictionary<string, string> { ["k"] = "v" } }, RequestV7);

    [Fact]
    public void Turn_WrittenByVersion7_IsRead() => AssertReads(
        new Turn
        {
            Id = "turn_1",
            State = TurnState.Completed,
            Input = new List<Message> { new(Role.User, "hi") },
            Created = DateTimeOffset.UnixEpoch,
            Settings = new GenerationSettings(),
            Metadata = new Dictionary<string, string> { ["k"] = "v" },
        },
        TurnV7);

    [Fact]
    public void PlacementDecision_WrittenByVersion3_IsRead() => AssertReads(
        new PlacementDecision
        {
            At = DateTimeOffset.UnixEpoch,
            Reason = PlacementReason.NodeDrains,
            Policy = "p",
            Node = "b",
            Home = "a",
            Possible = 3,
            Considered = new List<TtftEstimate> { new("b", 1, KvOrigin.Pull, 2, 3, 4, 5) },
            Pull = new KvPull(1, 2, 3, "why"),
        },
        DecisionV3);

    [Fact]
    public void TurnEvent_WrittenByVersion3_IsRead() => AssertReads(
        new TurnEvent { Delta = new AnswerDelta("x", 1), IsUnsaved = true }, CompletedV3);

    [Fact]
    public void TurnRequest_WrittenByVersion2_IsRead() => AssertReads(Request with { Settings = Settings }, RequestV2);

    [Fact]
    public void SessionRequest_WrittenByVersion2_IsRead() =>
        AssertReads(Session with { Settings = Settings, SamplerState = 4.5f }, SessionV2);

    [Fact]
    public void GenerationEvent_WrittenByVersion2_IsRead() => AssertReads(
        new GenerationEvent(
            new List<int> { 1 },
            "x",
            new GenerationOutcome(
                Finish.Length,
                true,
                new Usage(3, 2, 1),
                new Timings(TimeSpan.Zero, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2))))
        {
            SamplerState = 4.5f,
        },
        EventV2);

    [Fact]
    public void TurnRequest_WrittenByVersion1_IsRead() => AssertReads(Request, RequestV1);

    [Fact]
    public void SessionRequest_WrittenByVersion1_IsRead() => AssertReads(Session, SessionV1);

    /// <summary>Version 8 added the digest of the delivered part.</summary>
    [Fact]
    public void TurnRequest_WrittenByVersion8_IsRead() =>
        AssertReads(Request with { Offset = new AnswerOffset(12, 3, 7) { Digest = 9 } }, RequestV8);

    [Fact]
    public void AnswerDelta_WrittenByVersion8_IsRead() =>
        AssertReads(new AnswerDelta("x", 1, 7) { Digest = 9 }, DeltaV8);

    /// <summary>Version 9 added the time of prompts.</summary>
    [Fact]
    public void EngineFigures_WrittenByVersion9_IsRead() =>
        AssertReads(new EngineFigures { PrefillSeconds = 0.5, ShortPromptSeconds = 0.25 }, FiguresV9);

    /// <summary>Version 10 added the id of the caller's event channel.</summary>
    [Fact]
    public void TurnRequest_WrittenByVersion10_IsRead() =>
        AssertReads(Request with { EventChannel = new Guid("00112233-4455-6677-8899-aabbccddeeff") }, RequestV10);

    /// <summary>Version 11 added the latest load to a node's report.</summary>
    [Fact]
    public void ModelLoad_WrittenByVersion11_IsRead() => AssertReads(
        new ModelLoad
        {
            Number = 2,
            Model = "m",
            Stage = LoadStage.Failed,
            Since = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero),
            Failure = "damaged",
        },
        LoadV11);

    [Fact]
    public void HerdException_AcrossTheWire_KeepsItsParts()
    {
        var error = new HerdException(HerdError.ContextOverflow, "too long", "messages").With("context_tokens", 8);

        var read = (HerdException)Serializer.Deserialize<Exception>(Serializer.SerializeToArray<Exception>(error))!;

        Assert.Equal((error.Error, error.Message, error.Parameter), (read.Error, read.Message, read.Parameter));
        Assert.Equal(error.Details, read.Details);
    }

    /// <summary>Records compare lists by reference, so their JSON is compared.</summary>
    private static void AssertReads<T>(T expected, string written) => Assert.True(
        JsonSerializer.Serialize(expected) == Read<T>(written),
        $"Written now: {Convert.ToBase64String(Serializer.SerializeToArray(expected))}");

    private static string Read<T>(string written)
    {
        try
        {
            return JsonSerializer.Serialize(Serializer.Deserialize<T>(Convert.FromBase64String(written)));
        }
        catch (SerializerException e)
        {
            return e.Message;
        }
    }
}
